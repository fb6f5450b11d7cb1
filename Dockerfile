# One image for every role: `docker run … serve`, `project`, `migrate`, or `up` with its own engines.

FROM python:3.12-slim AS build
WORKDIR /src
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md schema.sql ./
COPY service service
COPY projections projections
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:3.12-slim
COPY requirements-runtime.lock /
RUN pip install --no-cache-dir --require-hashes -r requirements-runtime.lock
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --no-deps /wheels/*.whl
# The folders are the user's, and so are the volumes that are mounted there.
RUN useradd --create-home tag-history \
 && install --directory --owner tag-history --group tag-history --mode 0700 /credentials /data
COPY deploy/credentials.py /usr/local/share/tag-history/
USER tag-history
WORKDIR /data
EXPOSE 8443
ENTRYPOINT ["tag-history"]
CMD ["up", "--data-dir", "/data", "--listen", "0.0.0.0:8443"]
