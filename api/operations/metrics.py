"""The metrics for Prometheus: counted as it happens, or looked up for each scrape. No label is a caller's to choose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from api.http.methods import METHODS

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class StatusFigures:
    """The orders of one status: how many, how much, and for how long they have had it, in seconds."""

    status: str
    orders: int
    bytes: int
    oldest: float
    mean: float


class Metrics:
    """The metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._requests = self._counter("http_requests", "Requests answered.", "method", "route", "status")
        self._bytes = self._counter("http_response_bytes", "Bytes of bodies sent, archives included.", "route")
        self._seconds = Histogram(
            "consignor_http_response_start_seconds",
            "Seconds from a request to the first byte of its answer.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.under_way = self._gauge("http_requests_under_way", "Requests in progress, downloads and streams included.")
        self.streams = self._gauge("event_streams", "Clients that listen to live events.")
        self.database_up = self._gauge("database_up", "Whether PostgreSQL answers.")
        self.temporal_up = self._gauge("temporal_up", "Whether Temporal answers.")
        self.draining = self._gauge("draining", "Whether this process is about to stop.")
        self._orders = self._gauge("orders", "Orders by status.", "status")
        self._ordered = self._gauge("order_bytes", "Bytes of the orders by status.", "status")
        self._oldest = self._gauge("order_status_oldest_seconds", "Longest time an open order has had it.", "status")
        self._mean = self._gauge("order_status_mean_seconds", "Mean time open orders have had it.", "status")
        self._suborders = self._gauge("suborders_waiting", "Sub-orders that have not settled, by state.", "state")
        self.unstarted = self._gauge("orders_without_workflow", "Accepted orders whose workflow is yet to be started.")
        self._backlog = self._gauge("task_queue_backlog", "Temporal tasks that wait for a worker.", "queue", "kind")

    def answered(self, method: str, route: str, status: int, size: int, seconds: float | None) -> None:
        """Count an answer; `seconds` until its first byte, None where there was none."""
        known = method if method in METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._bytes.labels(route).inc(size)
        if seconds is not None:
            self._seconds.labels(known, route).observe(seconds)

    def show_orders(self, statuses: Sequence[StatusFigures], open_ones: frozenset[str]) -> None:
        """Replace what is known of orders; only open ones have a time in their status that means something."""
        for gauge in (self._orders, self._ordered, self._oldest, self._mean):
            gauge.clear()
        for found in statuses:
            self._orders.labels(found.status).set(found.orders)
            self._ordered.labels(found.status).set(found.bytes)
            if found.status in open_ones:
                self._oldest.labels(found.status).set(found.oldest)
                self._mean.labels(found.status).set(found.mean)

    def show_suborders(self, states: Mapping[str, int]) -> None:
        """Replace what is known of waiting sub-orders."""
        self._suborders.clear()
        for state, count in states.items():
            self._suborders.labels(state).set(count)

    def show_backlog(self, depths: Mapping[tuple[str, str], int]) -> None:
        """Replace what is known of Temporal's queues, by queue and kind of task."""
        self._backlog.clear()
        for (queue, kind), depth in depths.items():
            self._backlog.labels(queue, kind).set(depth)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"consignor_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"consignor_{name}", text, labels, registry=self.registry)
