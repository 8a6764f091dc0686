"""`consignor api`: serves the facade."""


def api() -> None:
    """Serve the API on CONSIGNOR_HOST and CONSIGNOR_PORT. Start as many as you like behind a load balancer."""
    import uvicorn

    from api.app import create_app
    from api.operations import Operations
    from cli.connecting import configure_logs
    from cli.serving import DrainingServer, open_services
    from cli.settings import found

    settings = found()
    configure_logs(settings.log_level)
    operations = Operations()
    config = uvicorn.Config(
        create_app(lambda: open_services(settings, operations)),
        host=settings.host,
        port=settings.port,
        log_level=settings.log_level,
        access_log=False,
        # After the drain: what is still open then is cut.
        timeout_graceful_shutdown=2,
    )
    DrainingServer(config, operations, settings).run()
