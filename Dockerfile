# syntax=docker/dockerfile:1
#
# NODE_IMAGE builds, RUNTIME_IMAGE runs. The runtime needs a `node` and nothing else: no shell, no package manager. Any
# distroless-style image with Node 24 or newer will do, and so will a local base:
#   docker build --build-arg NODE_IMAGE=my/node:26 --build-arg RUNTIME_IMAGE=my/node:26 -t transship .
ARG NODE_IMAGE=node:26-slim
ARG RUNTIME_IMAGE=${NODE_IMAGE}

# On the builder's own platform: what it makes is the same for every other.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# Scripts are off: none of the packages needs one, and `prepare` belongs to the tests. The bundler itself is an optional package.
RUN ["npm", "ci", "--ignore-scripts"]
COPY tsconfig.json ./
COPY tools/bundle ./tools/bundle
COPY src ./src
RUN ["node", "tools/bundle/bundle.ts"]

FROM ${RUNTIME_IMAGE}
WORKDIR /app
COPY --from=build /build/dist/bundle ./dist/bundle
COPY package.json ./
COPY examples/sample.yaml examples/admission-review.json examples/replicated.yaml examples/tilt-default-registry.yaml \
     examples/devspace.yaml examples/gitpod.yaml examples/devtron.yaml ./examples/
# One malloc arena: with one for each of the threads that V8 compiles in, 3 MiB more would stay with the process.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1
# A number, so that the kubelet can see that it is not root (runAsNonRoot).
USER 65532:65532
EXPOSE 8443 9464
# A review lives for a millisecond: young objects need little room, and Node's own choice costs 50 MiB more under load.
# V8 begins with an old space of few MiB, and would collect it many times a second under load, for half of the cost of a 60 KB review.
# Node's permission model: no child processes, no workers, no native add-ons; reading only its own files, what the chart mounts,
# and the tokens that the controller uses; writing nowhere.
ENTRYPOINT ["node", "--max-semi-space-size=4", "--initial-old-space-size=48", "--permission", "--disable-warning=ExperimentalWarning", "--allow-net", "--allow-fs-read=/app", "--allow-fs-read=/etc/transship", "--allow-fs-read=/var/run/secrets", "dist/bundle/main.js"]
CMD ["help"]
