# The application: web server, worker and beat are the same image with different commands (docker-compose.app.yml).
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1

# What WeasyPrint draws PDFs with; the same packages as in bin/system_libraries.py.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /srv/igny8

COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

COPY manage.py test_payment_workflow.py api_integration_example.py ./
COPY igny8_core igny8_core

# The code belongs to root and cannot be changed by the application; only var/ is its own.
RUN groupadd --system --gid 10001 igny8 \
    && useradd --system --uid 10001 --gid igny8 --home-dir /srv/igny8 --no-create-home igny8 \
    && install --directory --owner igny8 --group igny8 var var/media
USER 10001:10001

# The settings want a whole environment before they do anything. These values exist for this one step only: the key is
# random and kept nowhere, and no address is ever contacted.
RUN DJANGO_SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(60))')" \
    DJANGO_ALLOWED_HOSTS=build.invalid \
    BASE_URL=https://build.invalid \
    DATABASE_URL=postgresql://build.invalid/none \
    EMAIL_URL=console:// \
    python manage.py collectstatic --no-input

EXPOSE 8011

# Django answers only to its own host names, so the probe uses the first of them.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-c", "import os, urllib.request as r; host = os.environ.get('DJANGO_ALLOWED_HOSTS', '').split(',')[0].strip().lstrip('*.') or 'localhost'; r.urlopen(r.Request('http://127.0.0.1:8011/healthz/', headers={'Host': host}), timeout=4)"]

CMD ["gunicorn", "--config", "python:igny8_core.gunicorn_config", "--bind", "0.0.0.0:8011"]
