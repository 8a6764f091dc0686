"""`consignor api`: serves the facade."""


def api() -> None:
    """Serve the API on CONSIGNOR_HOST and CONSIGNOR_PORT. Start as many as you like behind a load balancer."""
    import uvicorn

    from api.app import create_app
    from api.wire import WireProtocol
    from cli.connecting import configure_logs
    from cli.serving import oidc_config, open_services
    from cli.settings import found

    settings = found()
    configure_logs(settings.log_level)
    # Said before anything listens, if nobody is there to be believed.
    config = oidc_config(settings)
    app = create_app(lambda: open_services(settings))
    if settings.dev_issuer:
        from cli.dev.data import DataFolder
        from cli.dev.issuer.app import issuer_app
        from cli.dev.issuer.people import MOUNT

        app.mount(MOUNT, issuer_app(config.issuer, settings.api_url, DataFolder(settings.data)))
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_level=settings.log_level,
        # Downloads have to know what has arrived.
        http=WireProtocol,
        access_log=False,
        # Open streams would otherwise hold the exit for as long as somebody downloads.
        timeout_graceful_shutdown=2,
    )
