"""Events between services: queues, outboxes, dead letters; the broker by its plugin rabbitmq_prometheus."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.panels import Panel, dashboard, graph, number


def _queues() -> list[Panel]:
    return [
        number("Messages that wait", "sum(max by (queue) (examhall_queue_messages))"),
        number("Dead letters", "sum(max by (queue) (examhall_dead_letters_parked))"),
        number("Events without confirmation", "sum(max by (source) (examhall_outbox_pending))"),
        number("Consumers without their queue", "sum(1 - max by (queue) (examhall_consumer_connected))"),
        graph("Messages that wait", {"{{queue}}": "max by (queue) (examhall_queue_messages)"}),
        graph("Dead letters", {"{{queue}}": "max by (queue) (examhall_dead_letters_parked)"}),
        graph(
            "Deliveries by outcome",
            {
                "{{queue}} {{outcome}}": "sum by (queue, outcome) "
                "(rate(examhall_deliveries_total[$__rate_interval]))"
            },
            "ops",
        ),
        graph(
            "Time to apply a delivery: 95th percentile",
            {
                "{{queue}}": "histogram_quantile(0.95, sum by (le, queue) "
                "(rate(examhall_handler_seconds_bucket[$__rate_interval])))"
            },
            "s",
        ),
    ]


def _outboxes() -> list[Panel]:
    return [
        graph(
            "Outbox: events published",
            {"{{source}}": "sum by (source) (rate(examhall_outbox_published_total[$__rate_interval]))"},
            "ops",
        ),
        graph(
            "Outbox: age of the oldest event",
            {"{{source}}": "max by (source) (examhall_outbox_oldest_seconds)"},
            "s",
        ),
        graph(
            "Outbox: time to the confirmation, 95th percentile",
            {
                "{{source}}": "histogram_quantile(0.95, sum by (le, source) "
                "(rate(examhall_outbox_delay_seconds_bucket[$__rate_interval])))"
            },
            "s",
        ),
        graph(
            "Outbox: batches that failed",
            {
                "{{source}}": "sum by (source) "
                "(rate(examhall_outbox_failures_total[$__rate_interval])) or vector(0)"
            },
            "ops",
        ),
    ]


def _broker() -> list[Panel]:
    return [
        graph(
            "Broker: memory of what it may use",
            {"{{instance}}": "rabbitmq_process_resident_memory_bytes / rabbitmq_resident_memory_limit_bytes"},
            "percentunit",
        ),
        graph(
            "Broker: free disk",
            {"{{instance}}": "rabbitmq_disk_space_available_bytes"},
            "bytes",
        ),
        graph(
            "Broker: connections and channels",
            {"connections": "sum(rabbitmq_connections)", "channels": "sum(rabbitmq_channels)"},
        ),
        graph(
            "Broker: messages without acknowledgement",
            {"{{instance}}": "sum by (instance) (rabbitmq_queue_messages_unacked)"},
        ),
    ]


def board() -> Dashboard:
    about = "Queues, outboxes, dead letters, and the broker."
    return dashboard("rabbitmq", "RabbitMQ", about, [*_queues(), *_outboxes(), *_broker()])
