# Superset's settings: its own tables in PostgreSQL, secrets from the environment, nothing for visitors without an account.
import os

SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = os.environ.get(
    "SUPERSET_DATABASE_URI",
    f"postgresql+psycopg2://superset:{os.environ.get('SUPERSET_DATABASE_PASSWORD')}@postgres:5432/superset",
)
ROW_LIMIT = 10_000
SQLLAB_TIMEOUT = 30
SUPERSET_WEBSERVER_TIMEOUT = 60
# It is reached by HTTP on loopback; behind TLS this is to be true.
SESSION_COOKIE_SECURE = False
SESSION_COOKIE_SAMESITE = "Lax"
