"""The stream kernel: runs flows over partitions, in micro-batches, exactly as if nothing ever crashed.

Read in this order:

| module | holds |
|---|---|
| `flow` | how a domain declares itself: table, routes, handlers, timer |
| `ports` | what the kernel needs from the world: records, store, changelog, publisher, clock |
| `processor` | deciding: raw records in, one batch out; retries and dead letters |
| `task` | the unit of work and its order (docs/adr/0002) |
| `lane` | one partition's queue: what arrives meanwhile is the next batch |
| `ownership` | which partitions this worker owns: taking over, handing over |
| `view`, `outputs`, `dead_letters`, `timers`, `layout`, `batch` | the parts of the above |
| `driver` | the same in memory, for tests, simulation and replay |
| `memory`, `memory_groups`, `memory_worker` | its log, its consumer groups, and its worker |
| `faust_app`, `agent`, `faust_mends` | the same on Faust, and what Faust must do otherwise |
| `fenced_changelog`, `publisher`, `restore`, `rocks_store` | the ports on Kafka and RocksDB |
| `meters`, `slot`, `errors` | metrics, a worker's place on its machine, what can go wrong |
"""
