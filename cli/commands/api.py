"""`consignor api`: serves the facade."""


def api() -> None:
    """Serve the API on CONSIGNOR_HOST and CONSIGNOR_PORT. Start as many as you like behind a load balancer."""
    import uvicorn

    from api.app import create_app
    from api.http.connection_monitor import MonitoredHttpProtocol
    from api.operations.state import Operations
    from cli.runtime.api_server import DrainingServer, oidc_config, open_services
    from cli.runtime.client_factory import configure_logs
    from cli.runtime.settings import found

    settings = found()
    configure_logs(settings.log_level)
    # Reason before anything listens, if nobody is there to be believed.
    believed = oidc_config(settings)
    operations = Operations()
    app = create_app(lambda: open_services(settings, operations))
    if settings.dev_issuer:
        from cli.dev.data import DataFolder
        from cli.dev.issuer.app import issuer_app
        from cli.dev.issuer.people import MOUNT

        app.mount(MOUNT, issuer_app(believed.issuer, settings.api_url, DataFolder(settings.data)))
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_level=settings.log_level,
        # Downloads have to know what has arrived.
        http=MonitoredHttpProtocol,
        access_log=False,
        # After the drain: what is still open then is cut.
        timeout_graceful_shutdown=2,
    )
    DrainingServer(config, operations, settings).run()
