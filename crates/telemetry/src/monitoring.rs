//! Which metrics are published. CloudWatch bills each combination of namespace, metric name and dimensions that was
//! published within an hour; a log line costs its bytes only.

/// How much is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Monitoring {
    /// Nothing: each line is an ordinary log line.
    Off,
    /// What the alarms of Basic read: [`crate::BASIC_METRICS`], without dimensions. The number of custom metrics does
    /// not grow with feeds, partners or files.
    Basic,
    /// Everything, also by feed, state, operation and channel.
    Full,
}

/// Which metrics a function publishes, and where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Metrics {
    /// The namespace, which is the stack's own.
    pub namespace: String,
    /// How much is published.
    pub monitoring: Monitoring,
    /// Whether [`Monitoring::Full`] publishes by partner too. Without effect in the others.
    pub partner_metrics: bool,
}

impl Metrics {
    /// Publishes everything, also by partner.
    #[must_use]
    pub fn all(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), monitoring: Monitoring::Full, partner_metrics: true }
    }

    /// Publishes what the alarms of Basic read.
    #[must_use]
    pub fn basic(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), monitoring: Monitoring::Basic, partner_metrics: false }
    }
}

#[cfg(test)]
mod tests;
