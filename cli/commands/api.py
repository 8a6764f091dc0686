"""`consignor api`: serves the facade."""


def api() -> None:
    """Serve the API on CONSIGNOR_HOST and CONSIGNOR_PORT. Start as many as you like behind a load balancer."""
    import uvicorn

    from api.app import create_app
    from api.wire import WireProtocol
    from cli.connecting import configure_logs
    from cli.serving import open_services
    from cli.settings import found

    settings = found()
    configure_logs(settings.log_level)
    uvicorn.run(
        create_app(lambda: open_services(settings)),
        host=settings.host,
        port=settings.port,
        log_level=settings.log_level,
        # Downloads have to know what has arrived.
        http=WireProtocol,
        access_log=False,
        # Open streams would otherwise hold the exit for as long as somebody downloads.
        timeout_graceful_shutdown=2,
    )
