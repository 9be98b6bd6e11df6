# syntax=docker/dockerfile:1
# Images of the suite, one target each: encoder, generator, generator-cuda, reward, policy, trainer.
#   docker build --target generator --build-arg REVISION="$(git rev-parse HEAD)" -t a2sf/generator .
# Each holds what tools/image-files.mjs picks (a test runs every app from that folder), its bill of materials in /app/sbom.cdx.json.
# Renew a digest with: docker buildx imagetools inspect IMAGE:TAG
ARG NODE_IMAGE=node:20.20.2-bookworm-slim@sha256:2cf067cfed83d5ea958367df9f966191a942351a2df77d6f0193e162b5febfc0
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs20-debian12:nonroot@sha256:2cd820156cf039c8b54ae2d2a97e424b6729070714de8707a6b79f20d56f6a9a
ARG CUDA_IMAGE=nvidia/cuda:13.3.0-cudnn-runtime-ubuntu24.04@sha256:95c91edfddb448d236689f572725b8421f3e51a6808f11e37ba6834dc57b12c8

FROM ${NODE_IMAGE} AS node

FROM node AS build
WORKDIR /src
COPY . .
RUN npm ci --no-audit --no-fund && npm run build

FROM build AS encoder-files
RUN npm ci --no-audit --no-fund --omit=dev --workspace apps/encoder && node tools/image-files.mjs encoder /image

FROM build AS generator-files
RUN npm ci --no-audit --no-fund --omit=dev --workspace apps/generator && node tools/image-files.mjs generator /image

# The CUDA provider is no part of the npm package; its own script fetches it from NuGet, here and nowhere else.
FROM build AS generator-cuda-files
RUN npm ci --no-audit --no-fund --omit=dev --workspace apps/generator \
  && ONNXRUNTIME_NODE_INSTALL=true node node_modules/onnxruntime-node/script/install.js \
  && node tools/image-files.mjs generator /image --cuda

FROM build AS reward-files
RUN npm ci --no-audit --no-fund --omit=dev --workspace apps/reward && node tools/image-files.mjs reward /image

FROM build AS policy-files
RUN npm ci --no-audit --no-fund --omit=dev --workspace apps/policy && node tools/image-files.mjs policy /image

FROM build AS trainer-files
RUN npm ci --no-audit --no-fund --omit=dev --workspace apps/trainer && node tools/image-files.mjs trainer /image

# Node, the C++ library and nothing else: no shell, no package manager. Runs with a read-only root.
FROM ${RUNTIME_IMAGE} AS runtime
ARG REVISION=unknown
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="A2SF" \
  org.opencontainers.image.description="Learned KV-cache compression as a gRPC suite" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production
WORKDIR /app
USER 65532:65532

# Few collections of young objects: a cached embedding then takes less than 1 ms in 99 of 100 calls.
FROM runtime AS encoder
COPY --from=encoder-files /image /app
# What the making of tables leaves behind goes back to the system: an eighth less resident memory with long texts.
ENV MALLOC_MMAP_THRESHOLD_=1048576
EXPOSE 50051 9464
CMD ["--max-semi-space-size=64", "apps/encoder/dist/main.js"]

# The others keep V8 from letting the garbage of small requests grow to 48 MB.
FROM runtime AS generator
COPY --from=generator-files /image /app
EXPOSE 50052 9465
CMD ["--max-semi-space-size=2", "apps/generator/dist/main.js"]

FROM ${CUDA_IMAGE} AS generator-cuda
ARG REVISION=unknown
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="A2SF generator for CUDA" \
  org.opencontainers.image.description="Learned KV-cache compression as a gRPC suite" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=generator-cuda-files /image /app
ENV NODE_ENV=production
WORKDIR /app
USER 65532:65532
EXPOSE 50052 9465
ENTRYPOINT ["node"]
CMD ["--max-semi-space-size=2", "apps/generator/dist/main.js"]

FROM runtime AS reward
COPY --from=reward-files /image /app
EXPOSE 50053 9466
CMD ["--max-semi-space-size=2", "apps/reward/dist/main.js"]

FROM runtime AS policy
COPY --from=policy-files /image /app
# Matrices and uploads come and go: one arena, given back early, is a quarter less resident memory.
ENV MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072
EXPOSE 50054 9467
CMD ["--max-semi-space-size=2", "apps/policy/dist/main.js"]

FROM runtime AS trainer
COPY --from=trainer-files /image /app
EXPOSE 9468
CMD ["apps/trainer/dist/main.js"]
