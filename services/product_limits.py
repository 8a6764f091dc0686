"""What one order may have of each product, asked of the lines of an order and of an estimate alike."""

from collections.abc import Sequence

from models.errors import Fault
from models.pricing import Measure
from models.products import limit_faults
from services.order_lines import Line


def limit_faults_of(lines: Sequence[Line], measures: Sequence[Measure]) -> list[Fault]:
    """Everything by which lines of so much each go beyond the limits of their products."""
    faults = list[Fault]()
    for line, measure in zip(lines, measures, strict=True):
        product = line.product
        limits = product.most_objects, product.most_bytes
        faults += limit_faults(product.sku, *limits, objects=measure.objects, size_bytes=measure.bytes)
    return faults
