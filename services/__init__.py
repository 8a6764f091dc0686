"""The business of Consignor: functions over a database session; they know neither HTTP nor Temporal."""
