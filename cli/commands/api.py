"""`consignor api`: serves the facade."""


def api() -> None:
    """Serve the API on CONSIGNOR_HOST and CONSIGNOR_PORT. Start as many as you like behind a load balancer."""
    from importlib import import_module

    import structlog

    from api.app import create_app
    from api.http.protocol import ConnectionBounds, server_config
    from api.operations.state import Operations
    from cli.runtime.api_server import DrainingServer, listen, open_services, tell_of_database
    from cli.runtime.loading import load_settings
    from cli.runtime.logs import configure_logs, library_level
    from cli.runtime.oidc import oidc_config
    from cli.runtime.safety import check_safe_api

    settings = load_settings()
    configure_logs(settings.log_level)
    listeners = None
    if settings.port == 0:
        # Any port, which is taken now, for every link has to name it.
        listeners = [listen(settings.host, 0, "CONSIGNOR_HOST")]
        settings = settings.model_copy(update={"port": listeners[0].getsockname()[1]})
    # A missing issuer, or what is unsafe, is an error before anything listens.
    oidc_config(settings)
    check_safe_api(settings)
    if settings.is_wildcard and settings.public_url is None:
        structlog.get_logger().warning(
            "links open on this machine only; set CONSIGNOR_PUBLIC_URL", links=settings.api_url
        )
    tell_of_database(settings)
    metrics = None
    if settings.api_metrics is not None:
        host, _, port = settings.api_metrics.rpartition(":")
        metrics = listen(host.strip("[]"), int(port), "CONSIGNOR_API_METRICS")
    operations = Operations()
    app = create_app(lambda: open_services(settings, operations, metrics))
    if settings.dev_issuer:
        # Loaded by name: servers without the dev stack have none of it.
        import_module("cli.dev.issuer.app").mount_issuer(app, settings)
    config = server_config(
        app,
        ConnectionBounds(stalled_after=settings.stalled_after.total_seconds()),
        count=operations.metrics.refused,
        host=settings.host,
        port=settings.port,
        log_level=library_level(settings.log_level),
        # After the drain: what is still open then is cut.
        timeout_graceful_shutdown=2,
    )
    DrainingServer(config, operations, settings).run(listeners)
