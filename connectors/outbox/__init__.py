"""The outbox source connector: rows, written in the transaction of what they tell, become records.

A row is deleted in the transaction that publishes it, after the broker has it: none is lost. A crash in
between publishes it again under the same `event_id`, which is derived from the row's own id.
"""
