"""How values and failures travel through Temporal: Pydantic's JSON, and failures without their stack traces."""

import dataclasses

from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DefaultFailureConverter, PayloadConverter


class SentencesOnly(DefaultFailureConverter):
    """Encodes failures as type and sentence. A stack trace names machines and paths; it goes to the log only."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """Encode a failure and its causes; the base class copies a received failure with its traces."""
        super().to_failure(exception, payload_converter, failure)
        part = failure
        part.ClearField("stack_trace")
        while part.HasField("cause"):
            part = part.cause
            part.ClearField("stack_trace")


DATA_CONVERTER = dataclasses.replace(pydantic_data_converter, failure_converter_class=SentencesOnly)
"""What every client and worker of Consignor uses; with two different ones a payload could not be read."""
