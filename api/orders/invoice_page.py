"""An invoice as a page that prints well: nothing but HTML and a style of its own, in English and French."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from typing import Final

from api.http.policy import CONTENT_SECURITY_POLICY
from api.orders.invoice_schemas import InvoiceLine, InvoicePrice, InvoicePublic
from models.text import shown

_STYLE: Final = """
@page { margin: 18mm 16mm }
:root { color-scheme: light }
body { font: 11pt/1.45 system-ui, sans-serif; color: #111; background: #fff; max-width: 180mm; margin: 2rem auto;
  padding: 0 1rem; overflow-wrap: anywhere }
h1 { font-size: 18pt; margin: 0 0 1rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; margin: 0 0 1.5rem }
dt { color: #555 } dd { margin: 0 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: start; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid #ccc }
.n { text-align: end; padding: .35rem 0 .35rem .8rem; white-space: nowrap; font-variant-numeric: tabular-nums }
th.n { white-space: normal } td, th { overflow-wrap: break-word }
thead { display: table-header-group } tr { break-inside: avoid }
tfoot { display: table-row-group } tfoot th { font-weight: 400; text-align: end }
.total th, .total td { font-weight: 700; border-bottom: 2px solid #111 }
small { display: block; color: #555 }
@media print { body { margin: 0; padding: 0; max-width: none } }
"""

PAGE_POLICY: Final = (
    f"{CONTENT_SECURITY_POLICY}; style-src 'sha256-{b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)
"""What the page may load: its own style, by its digest, and nothing else."""

_NUMBER: Final = ' class="n"'

_ENGLISH: Final = {
    "invoice": "Invoice", "number": "Order", "label": "Label", "date": "Ordered on", "customer": "Customer",
    "country": "Taxed in", "product": "Product", "quantity": "Quantity", "price": "Unit price", "amount": "Amount",
    "subtotal": "Subtotal", "total": "Total", "included": "{tax}, included", "of": "{tax} of {base}",
    "object": "objects", "file": "files", "gb": "GB", "flat": "flat", "status": "Status",
    "pending_payment": "not paid yet", "cancelled": "cancelled",
}  # fmt: skip
_FRENCH: Final = {
    "invoice": "Facture", "number": "Commande", "label": "Libellé", "date": "Commandée le", "customer": "Client",
    "country": "Taxée en", "product": "Produit", "quantity": "Quantité", "price": "Prix unitaire", "amount": "Montant",
    "subtotal": "Sous-total", "total": "Total", "included": "{tax}, comprise", "of": "{tax} sur {base}",
    "object": "objets", "file": "fichiers", "gb": "Go", "flat": "forfait", "status": "État",
    "pending_payment": "pas encore payée", "cancelled": "annulée",
}  # fmt: skip
PAGE_LANGUAGES: Final[Mapping[str, Mapping[str, str]]] = {"en": _ENGLISH, "fr": _FRENCH}


def invoice_page(invoice: InvoicePublic, language: str) -> str:
    """The page of an invoice; whoever wrote its texts, they stay text."""
    words = PAGE_LANGUAGES[language]
    title = f"{words['invoice']} {_text(invoice.number)}"
    lines = "".join(_row(line, words) for line in invoice.items)
    heads = ["product", "quantity", *(["price", "amount"] if invoice.price else [])]
    head = "".join(f"<th{'' if name == 'product' else _NUMBER}>{words[name]}</th>" for name in heads)
    foot = _foot(invoice.price, words) if invoice.price else ""
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><h1>{title}</h1>'
        f"<dl>{_facts(invoice, words)}</dl><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody>{foot}</table>"
        "</body></html>\n"
    )


def _facts(invoice: InvoicePublic, words: Mapping[str, str]) -> str:
    country = invoice.price.country if invoice.price and invoice.price.taxes else None
    facts = {
        "number": invoice.number,
        "label": invoice.label,
        "date": f"{invoice.ordered_at:%Y-%m-%d}",
        "customer": invoice.customer,
        "country": country,
        # Of an order that is paid nothing needs to be said.
        "status": words.get(invoice.status) if invoice.price else None,
    }
    return "".join(f"<dt>{words[name]}</dt><dd>{_text(fact)}</dd>" for name, fact in facts.items() if fact)


def _row(line: InvoiceLine, words: Mapping[str, str]) -> str:
    about = " · ".join(_text(part) for part in (line.product, line.configuration) if part)
    billed = words["flat"] if line.price_unit == "flat" else f"{line.billed_quantity} {words[line.price_unit]}"
    amounts = [billed, *(amount for amount in (line.unit_price, line.line_total) if amount is not None)]
    cells = "".join(f"<td{_NUMBER}>{_text(amount)}</td>" for amount in amounts)
    return f"<tr><td>{_text(line.name)}<small>{about}</small></td>{cells}</tr>"


def _foot(price: InvoicePrice, words: Mapping[str, str]) -> str:
    rows = [(words["subtotal"], price.subtotal)] if price.discounts or price.taxes else []
    rows += [(part.name, f"-{part.amount}") for part in price.discounts]
    for part in price.taxes:
        tax = words["of"].format(tax=f"{part.name} {part.percent} %", base=part.base)
        rows.append((words["included"].format(tax=tax) if price.tax_included else tax, part.amount))
    shown_rows = "".join(_sum(*row) for row in rows)
    total = _sum(words["total"], f"{price.total_price} {price.currency}", ' class="total"')
    return f"<tfoot>{shown_rows}{total}</tfoot>"


def _sum(name: str, amount: str, marked: str = "") -> str:
    return f'<tr{marked}><th colspan="3" scope="row">{_text(name)}</th><td{_NUMBER}>{_text(amount)}</td></tr>'


def _text(text: str) -> str:
    return f"<bdi>{escape(shown(text))}</bdi>"
