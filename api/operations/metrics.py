"""The metrics for Prometheus: counted as it happens, or looked up for each scrape. No label is a caller's to choose."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from api.http.methods import METHODS
from storage.pool import StoragePool
from temporal.queues import QueueFigures

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class StatusFigures:
    """The orders of one status: how many, how much, and for how long they have had it, in seconds."""

    status: str
    orders: int
    bytes: int
    oldest: float
    mean: float


class HeldUp(NamedTuple):
    """Orders of which a step is tried again by itself: why, who can act, how many, and the longest seconds of one."""

    code: str
    who: str
    orders: int
    oldest: float


class _StorageThreads(Collector):
    """Looks up, for each scrape, which location holds threads."""

    def __init__(self, pools: Sequence[StoragePool]) -> None:
        self._pools = pools

    def collect(self) -> Iterator[GaugeMetricFamily]:
        text = "Threads that wait for a storage or a destination: running, given up, or what waits for one."
        family = GaugeMetricFamily("consignor_storage_threads", text, labels=("pool", "location", "state"))
        for pool in self._pools:
            for bulkhead, held in pool.held().items():
                for state, count in held._asdict().items():
                    family.add_metric((pool.name, bulkhead.key, state), count)
        yield family


class Metrics:
    """The metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.pools: list[StoragePool] = []
        """The pools of threads that are shown by who holds them."""
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._requests = self._counter("http_requests", "Requests answered.", "method", "route", "status")
        self._refused = self._counter("http_refused", "Requests that no route got to see.", "status", "fault")
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
        self._held_up = self._gauge("orders_held_up", "Orders of which a step is tried again, by why.", "code", "who")
        self._held_up_oldest = self._gauge(
            "orders_held_up_oldest_seconds", "Longest time of one of them.", "code", "who"
        )
        self._failed = self._gauge("orders_failed", "Orders that have failed, by why.", "code")
        self._deliveries_failed = self._gauge("deliveries_failed", "Deliveries that were given up, by why.", "code")
        self.unpaid = self._gauge("orders_unpaid", "Orders that wait for their payment.")
        self.ending = self._gauge("orders_ending_soon", "Orders whose files end within a day.")
        self.files_failed = self._gauge("files_failed", "Files of orders that could not be delivered.")
        self.downloads = self._gauge("downloads_under_way", "Downloads in progress, in all processes.")
        self.downloads_cut = self._counter("downloads_cut", "Downloads that ended before all of them had arrived.")
        self.connections = self._gauge("database_connections_in_use", "Connections this process has taken of its pool.")
        self._backlog = self._gauge("task_queue_backlog", "Temporal tasks that wait for a worker.", "queue", "kind")
        self._backlog_oldest = self._gauge(
            "task_queue_oldest_seconds", "How long the oldest of them has waited.", "queue", "kind"
        )
        self._pollers = self._gauge("task_queue_pollers", "Workers that asked for tasks of late.", "queue", "kind")
        self.registry.register(_StorageThreads(self.pools))
        self.reconciled = self._gauge("reconciler_last_success_timestamp_seconds", "When the reconciler last ended.")

    def answered(self, method: str, route: str, status: int, size: int, seconds: float | None) -> None:
        """Count an answer; `seconds` until its first byte, None where there was none."""
        known = method if method in METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._bytes.labels(route).inc(size)
        if seconds is not None:
            self._seconds.labels(known, route).observe(seconds)

    def refused(self, status: int, fault: str) -> None:
        """Count a request that ended in the server's protocol."""
        self._refused.labels(str(status), fault).inc()

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

    def show_held_up(self, found: Sequence[HeldUp]) -> None:
        """Replace what is known of orders that are held up."""
        self._held_up.clear()
        self._held_up_oldest.clear()
        for code, who, orders, oldest in found:
            self._held_up.labels(code, who).set(orders)
            self._held_up_oldest.labels(code, who).set(oldest)

    def show_failed(self, orders: Mapping[str, int], deliveries: Mapping[str, int]) -> None:
        """Replace what is known of failed orders and deliveries, by their codes."""
        for gauge, counts in ((self._failed, orders), (self._deliveries_failed, deliveries)):
            gauge.clear()
            for code, count in counts.items():
                gauge.labels(code).set(count)

    def show_queues(self, queues: Mapping[tuple[str, str], QueueFigures]) -> None:
        """Replace what is known of Temporal's queues, by queue and kind of task."""
        for gauge in (self._backlog, self._backlog_oldest, self._pollers):
            gauge.clear()
        for labels, found in queues.items():
            self._backlog.labels(*labels).set(found.backlog)
            self._backlog_oldest.labels(*labels).set(found.oldest)
            self._pollers.labels(*labels).set(found.pollers)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"consignor_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"consignor_{name}", text, labels, registry=self.registry)
