"""The administrator of SUPERSET_ADMIN_PASSWORD, and the bundle beside this file: data source, datasets, charts and dashboard, as Superset itself exports them.

The password of the data source is not in the bundle: it comes from the environment, as Superset asks a person for it at an import."""
import os
from pathlib import Path

from superset.app import create_app

BUNDLE = Path(__file__).parent / "bundle"
DATABASE = "databases/streamforge.yaml"


def main() -> None:
    contents = {str(path.relative_to(BUNDLE)): path.read_text() for path in BUNDLE.rglob("*.yaml")}
    # Another address of the database than the containers', for tests.
    if (host := os.environ.get("READER_DATABASE_HOST")) is not None:
        contents[DATABASE] = contents[DATABASE].replace("@postgres:5432/", f"@{host}/")
    with create_app().app_context():
        from superset import security_manager
        from superset.commands.dashboard.importers.v1 import ImportDashboardsCommand
        from superset.utils.core import override_user

        admin = security_manager.find_user(username="admin") or security_manager.add_user(
            "admin", "StreamForge", "Admin", "admin@streamforge.invalid", security_manager.find_role("Admin")
        )
        if not admin:
            raise SystemExit("Superset did not take its administrator; its log above says why.")
        security_manager.reset_password(admin.id, os.environ["SUPERSET_ADMIN_PASSWORD"])
        with override_user(admin):
            passwords = {DATABASE: os.environ["READER_DATABASE_PASSWORD"]}
            ImportDashboardsCommand(contents, passwords=passwords, overwrite=True).run()


main()
