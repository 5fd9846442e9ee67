# syntax=docker/dockerfile:1
#
# NODE_IMAGE builds, RUNTIME_IMAGE runs. The runtime needs a `node` and nothing else: no shell, no package manager. Any
# distroless-style image with Node 24 or newer will do, and so will a local base:
#   docker build --build-arg NODE_IMAGE=my/node:26 --build-arg RUNTIME_IMAGE=my/node:26 -t transship .
ARG NODE_IMAGE=node:26-slim
ARG RUNTIME_IMAGE=${NODE_IMAGE}

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# Scripts are off: none of the packages needs one, and `prepare` belongs to the tests. The bundler itself is an optional package.
RUN ["npm", "ci", "--ignore-scripts"]
COPY tsconfig.json ./
COPY tools/bundle ./tools/bundle
COPY src ./src
RUN ["node", "tools/bundle/bundle.ts"]
RUN ["node", "--eval", "fs.mkdirSync('empty')"]

FROM ${RUNTIME_IMAGE} AS program
WORKDIR /app
COPY --from=build /build/dist/bundle ./dist/bundle
COPY package.json ./
COPY examples/sample.yaml examples/admission-review.json ./examples/
# Node's own cache of compiled code: read, and never written outside of this build. One arena: with one for each of the threads that V8 compiles
# in, 3 MiB more would stay with the process.
ENV NODE_ENV=production NODE_COMPILE_CACHE=/app/compiled MALLOC_ARENA_MAX=1
# A number, so that the kubelet can see that it is not root (runAsNonRoot).
USER 65532:65532

# The first run compiles what `serve` runs. By the same `node`, flags and user: for another one Node would compile anew, as without it.
FROM program AS compiled
COPY --from=build --chown=65532:65532 /build/empty /app/compiled
RUN ["node", "--max-semi-space-size=4", "dist/bundle/main.js", "serve", "--once", "--port=0", "--metrics-port=0"]

FROM program
# Nobody may write to it: what is in it is run.
COPY --from=compiled --chown=0:0 --chmod=555 /app/compiled /app/compiled
EXPOSE 8443 9464
# A review lives for a millisecond: young objects need little room, and Node's own choice costs 50 MiB more under load.
# Node's permission model: no child processes, no workers, no native add-ons; reading only its own files, what the chart mounts,
# and the tokens that the controller uses; writing nowhere, but Node uses a cache only in a folder that it might write to, were it not
# for the modes of the folder and the read-only file system.
ENTRYPOINT ["node", "--max-semi-space-size=4", "--permission", "--disable-warning=ExperimentalWarning", "--allow-net", "--allow-fs-read=/app", "--allow-fs-read=/etc/transship", "--allow-fs-read=/var/run/secrets", "--allow-fs-write=/app/compiled", "dist/bundle/main.js"]
CMD ["serve"]
