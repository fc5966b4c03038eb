# syntax=docker/dockerfile:1
#
#   docker build -t weft .
#   docker run -p 127.0.0.1:16686:16686 -p 127.0.0.1:4317:4317 -p 127.0.0.1:4318:4318 \
#     -v weft-data:/var/lib/weft weft
#
# The image holds the Debian package and runs the same binary and configuration as its service.
FROM debian:12 AS build
WORKDIR /src
COPY . .
RUN ./dev package

FROM debian:12-slim
RUN --mount=type=bind,from=build,source=/src/build,target=/packages \
    apt-get update -q && \
    apt-get install -y -q --no-install-recommends ca-certificates /packages/weft_*.deb && \
    rm -rf /var/lib/apt/lists/*
USER weft
WORKDIR /var/lib/weft
VOLUME /var/lib/weft
EXPOSE 3200 4317 4318 16685 16686
HEALTHCHECK --interval=30s --start-period=5m CMD ["weft", "services", "--names"]
ENTRYPOINT ["/usr/bin/weft"]
# Inside a container every interface is the container's own: who can reach it is up to -p.
CMD ["serve", "--config", "/etc/weft/weft.yaml", "--insecure", \
     "--set", "receivers.otlp.protocols.grpc.endpoint=0.0.0.0:4317", \
     "--set", "receivers.otlp.protocols.http.endpoint=0.0.0.0:4318", \
     "--set", "extensions.query.endpoint=0.0.0.0:16686"]
