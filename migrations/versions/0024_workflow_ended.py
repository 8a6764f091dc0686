"""workflow ended: files may have failed because somebody ended the workflow that read them."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_NAME = "ck_order_files_failure_code_known"
_BEFORE = (
    "'unknown_id', 'catalogue_changed', 'nothing_to_order', 'source_missing', 'source_changed', 'source_forbidden', "
    "'size_mismatch', 'checksum_mismatch', 'disk_full', 'too_many_open_files', 'out_of_memory', 'source_unavailable', "
    "'database_unavailable', 'timed_out', 'worker_lost', "
)


def _replace(codes: str) -> None:
    # Not valid at first, so that no table is read under a lock that others wait for.
    op.execute(f"ALTER TABLE order_files DROP CONSTRAINT {_NAME}")
    op.execute(f"ALTER TABLE order_files ADD CONSTRAINT {_NAME} CHECK (failure_code IN ({codes})) NOT VALID")
    op.execute(f"ALTER TABLE order_files VALIDATE CONSTRAINT {_NAME}")


def upgrade() -> None:
    _replace(f"{_BEFORE}'workflow_ended', 'internal'")


def downgrade() -> None:
    op.execute("UPDATE order_files SET failure_code = 'internal' WHERE failure_code = 'workflow_ended'")
    _replace(f"{_BEFORE}'internal'")
