# flextune with all that its demo needs. Programs of models run in bubblewrap, inside the container:
#   docker build -t flextune . && docker run --rm --privileged -v "$PWD/runs:/work/runs" flextune
# bubblewrap makes namespaces of its own, which Docker allows with --privileged only.
FROM python:3.11-slim-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends bubblewrap default-jdk-headless libjavatuples-java nodejs \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
# PyPI's build of torch brings CUDA's libraries, which the demo does without.
RUN pip install --no-cache-dir -c constraints.txt --extra-index-url https://download.pytorch.org/whl/cpu '.[train]'

WORKDIR /work
ENTRYPOINT ["flextune"]
CMD ["quickstart"]
