"""`consignor worker`: runs workflows and activities."""


def worker() -> None:
    """Run a worker: orders, staging and packaging. Start as many as you like, on as many machines."""
    import asyncio

    from cli.connecting import configure_logs
    from cli.settings import found
    from cli.working import run_worker

    settings = found()
    configure_logs(settings.log_level)
    asyncio.run(run_worker(settings))
