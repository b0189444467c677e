# One image for each part: docker build --target gateway . (or podman, or buildah); `make images` builds all of them.
# PYTHON may be any image with Python 3.11 or 3.12 and nothing else of ours.
ARG PYTHON=python:3.11.10-slim-bookworm@sha256:5148c0e4bbb64271bca1d3322360ebf4bfb7564507ae32dd639322e4952a6b16

FROM ${PYTHON} AS build
# For a proxy with a certificate of its own: where it is mounted (--volume /etc/ssl/certs:/etc/ssl/certs:ro).
ARG PIP_CERT
ENV UV_SYSTEM_CERTS=1 UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
COPY requirements/uv.txt /tmp/
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --quiet --require-hashes -r /tmp/uv.txt
WORKDIR /src

FROM build AS wheel
COPY pyproject.toml README.md LICENSE ./
COPY contract contract
COPY kube kube
COPY operators operators
COPY retrieval retrieval
COPY service service
COPY serving serving
COPY console console
COPY tuning tuning
RUN /opt/uv/bin/pip wheel --quiet --no-build-isolation --no-deps --wheel-dir /wheel .

FROM build AS environment
RUN /opt/uv/bin/uv venv --quiet /opt/quiver
ENV VIRTUAL_ENV=/opt/quiver PATH=/opt/quiver/bin:/opt/uv/bin:/usr/local/bin:/usr/bin:/bin

FROM environment AS build-gateway
COPY requirements/gateway.txt /src/
RUN uv pip install --quiet --require-hashes -r gateway.txt
COPY --from=wheel /wheel /wheel
RUN uv pip install --quiet --no-deps /wheel/*.whl

FROM environment AS build-agent
COPY requirements/agent.txt /src/
RUN uv pip install --quiet --require-hashes -r agent.txt
COPY --from=wheel /wheel /wheel
RUN uv pip install --quiet --no-deps /wheel/*.whl

FROM environment AS build-operator
COPY requirements/operator.txt /src/
RUN uv pip install --quiet --require-hashes -r operator.txt
COPY --from=wheel /wheel /wheel
RUN uv pip install --quiet --no-deps /wheel/*.whl

FROM environment AS build-operator-kserve
COPY requirements/operator-kserve.txt /src/
RUN uv pip install --quiet --require-hashes -r operator-kserve.txt
COPY --from=wheel /wheel /wheel
RUN uv pip install --quiet --no-deps /wheel/*.whl

FROM environment AS build-retrieval
COPY requirements/ingest.txt /src/
RUN uv pip install --quiet --require-hashes -r ingest.txt
COPY --from=wheel /wheel /wheel
RUN uv pip install --quiet --no-deps /wheel/*.whl

FROM environment AS build-drift
COPY requirements/drift.txt /src/
RUN uv pip install --quiet --require-hashes -r drift.txt
COPY --from=wheel /wheel /wheel
RUN uv pip install --quiet --no-deps /wheel/*.whl

FROM environment AS build-management
COPY requirements/management.txt /src/
RUN uv pip install --quiet --require-hashes -r management.txt
COPY --from=wheel /wheel /wheel
RUN uv pip install --quiet --no-deps /wheel/*.whl

FROM environment AS build-console
COPY requirements/console.txt /src/
RUN uv pip install --quiet --require-hashes -r console.txt
COPY --from=wheel /wheel /wheel
RUN uv pip install --quiet --no-deps /wheel/*.whl

FROM environment AS build-milvus
COPY requirements/milvus.txt /src/
RUN uv pip install --quiet --require-hashes -r milvus.txt

# vLLM for CPUs and our plugins for it: some 6 GB. On GPUs the upstream image does.
FROM environment AS build-engine
COPY requirements/engine.txt /src/
RUN uv pip install --quiet --require-hashes --no-deps -r engine.txt
COPY --from=wheel /wheel /wheel
RUN uv pip install --quiet --no-deps /wheel/*.whl

# What runs: the same Python, one environment, and a user without rights or a home.
FROM ${PYTHON} AS part
ENV PATH=/opt/quiver/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /
USER 65532:65532

FROM part AS gateway
COPY --from=build-gateway /opt/quiver /opt/quiver
ENTRYPOINT ["python", "-m", "serving.gateway"]

FROM part AS agent
COPY --from=build-agent /opt/quiver /opt/quiver
ENTRYPOINT ["python", "-m", "serving.agent"]

FROM part AS operator
COPY --from=build-operator /opt/quiver /opt/quiver
ENTRYPOINT ["python", "-m", "operators"]

# With KServe's types (0.3 GB), for charts with kserve=true.
FROM part AS operator-kserve
COPY --from=build-operator-kserve /opt/quiver /opt/quiver
ENTRYPOINT ["python", "-m", "operators"]

# Searches; with `-m retrieval.ingest` it indexes.
FROM part AS retrieval
# Word documents of before 2007: --build-arg ANTIWORD=yes (GPL, from Debian).
ARG ANTIWORD=
# Scans: --build-arg OCR="tesseract-ocr tesseract-ocr-kor" (Apache-2.0, from Debian; English is in the former).
ARG OCR=
USER 0:0
RUN [ -z "$ANTIWORD$OCR" ] || { apt-get update && apt-get install --yes --no-install-recommends ${ANTIWORD:+antiword} $OCR && rm -rf /var/lib/apt/lists/*; }
USER 65532:65532
COPY build/models/minilm /opt/models/minilm
COPY --from=build-retrieval /opt/quiver /opt/quiver
ENTRYPOINT ["python", "-m"]
CMD ["retrieval"]

FROM part AS drift
ENV OPENBLAS_NUM_THREADS=1
COPY --from=build-drift /opt/quiver /opt/quiver
ENTRYPOINT ["python", "-m", "serving.drift"]

FROM part AS management
COPY --from=build-management /opt/quiver /opt/quiver
ENTRYPOINT ["python", "-m", "operators.management"]

FROM part AS console
COPY --from=build-console /opt/quiver /opt/quiver
ENTRYPOINT ["python", "-m", "console"]

# A small Milvus for a trial.
FROM part AS milvus
COPY --from=build-milvus /opt/quiver /opt/quiver
ENTRYPOINT ["python", "-m", "milvus_lite", "server"]

# What vLLM for CPUs needs of the system; its environment may also be mounted.
FROM part AS engine-runtime
USER 0
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libnuma1 && rm -rf /var/lib/apt/lists/*
USER 65532:65532

# Trains adapters; has PyTorch for CPUs and GPUs.
FROM engine-runtime AS trainer
COPY --from=build-engine /opt/quiver /opt/quiver
ENTRYPOINT ["python", "-m", "tuning.trainer.job"]

# With a compiler: vLLM compiles kernels as it starts, unless TORCHDYNAMO_DISABLE=1.
FROM engine-runtime AS engine
USER 0
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
USER 65532:65532
COPY --from=build-engine /opt/quiver /opt/quiver
ENTRYPOINT ["python", "-m", "vllm.entrypoints.openai.api_server"]
