/**
 * Names of Docker Hub's official images (https://hub.docker.com/search?image_filter=official): the repositories of docker.io/library,
 * usually written without it. A missing name only costs a hint.
 */
const names = `adminer aerospike almalinux alpine alt amazoncorretto amazonlinux api-firewall arangodb archlinux backdrop bash bonita
  buildpack-deps busybox caddy cassandra centos chronograf cirros clearlinux clefos clickhouse clojure composer consul convertigo couchbase
  couchdb crate dart debian docker drupal eclipse-mosquitto eclipse-temurin elasticsearch elixir emqx erlang express-gateway fedora flink
  fluentd friendica gazebo gcc geonetwork ghost golang gradle groovy haproxy haskell haxe hello-world hitch httpd hylang ibm-semeru-runtimes
  ibmjava influxdb irssi jetty jobber joomla jruby julia kapacitor kibana known kong krakend lightstreamer liquibase logstash mageia mariadb
  matomo maven mediawiki memcached mongo mongo-express monica mysql nats nats-streaming neo4j neurodebian nextcloud nginx node notary odoo
  open-liberty openjdk open-webui oraclelinux orientdb percona perl photon php php-zendserver phpmyadmin plone postfixadmin postgres pypy
  python r-base rabbitmq rakudo-star rapidoid redis redmine registry rethinkdb rocket.chat rockylinux ros ruby rust sapmachine satosa scratch
  silverpeas sl solr sonarqube spark spiped storm swift swipl teamspeak telegraf thrift tomcat tomee traefik ubuntu unit valkey varnish vault
  websphere-liberty wordpress xwiki yourls znc zookeeper`;

const officialImages: ReadonlySet<string> = new Set(names.split(/\s+/));

export function isOfficialImage(name: string): boolean {
  return officialImages.has(name);
}
