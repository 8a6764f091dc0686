"""`consignor worker`: runs workflows and activities."""


def worker() -> None:
    """Run a worker: orders, staging and packaging. Start as many as you like, on as many machines."""
    import asyncio

    from cli.runtime.loading import load_settings
    from cli.runtime.logs import configure_logs
    from cli.runtime.safety import check_safe_worker
    from cli.runtime.worker import run_worker

    settings = load_settings()
    configure_logs(settings.log_level)
    check_safe_worker(settings)
    asyncio.run(run_worker(settings))
