//! What tests and the shop put into the platform: lines, events, reports.

use bytes::Bytes;

use super::Platform;
use crate::demo::brokers::Layout;
use crate::demo::hub::Ask;

impl Platform {
    /// A component logs a line. When this returns, it stands in the subscribers' queues, or is
    /// counted as lost.
    pub async fn inject_log(&self, service_id: &str, container_id: &str, line: &[u8]) {
        self.inject_logs(service_id, container_id, vec![Bytes::copy_from_slice(line)])
            .await;
    }

    /// A component logs many lines at once.
    pub async fn inject_logs(&self, service_id: &str, container_id: &str, lines: Vec<Bytes>) {
        let now = self.parts.times.now();
        self.parts.metrics.said(now, container_id, lines.len());
        let (service, container) = (service_id.to_owned(), container_id.to_owned());
        self.parts
            .hub
            .ask(|done| Ask::Lines {
                service,
                container,
                lines,
                at: None,
                done: Some(done),
            })
            .await;
    }

    /// An event's producer sends an entry. It is ignored unless it is a JSON object with this
    /// `event_id`.
    pub async fn inject_event(&self, event_id: &str, json: &[u8]) {
        let (id, json) = (event_id.to_owned(), Bytes::copy_from_slice(json));
        self.parts
            .hub
            .ask(|done| Ask::Event {
                id,
                json,
                at: None,
                done: Some(done),
            })
            .await;
    }

    /// A host reports a component's dear requests: the UDP datagram of protocols.md 4.1. It is
    /// ignored unless its first element is of this component.
    pub async fn inject_monitor(&self, service_id: &str, json: &[u8]) {
        let (service, json) = (service_id.to_owned(), Bytes::copy_from_slice(json));
        self.parts
            .hub
            .ask(|done| Ask::Monitor {
                service,
                json,
                done: Some(done),
            })
            .await;
    }

    /// A frame of the old monitor for a topic, as it is (protocols.md 4.2).
    pub async fn inject_old_monitor(&self, topic: &str, json: &[u8]) {
        let (topic, json) = (topic.to_owned(), Bytes::copy_from_slice(json));
        self.parts
            .hub
            .ask(|done| Ask::OldMonitor {
                topic,
                json,
                done: Some(done),
            })
            .await;
    }

    /// Publishes frames on a layout's port. Subscribers that have not subscribed yet miss it.
    pub async fn publish_zmq(&self, layout: Layout, frames: Vec<Bytes>) {
        self.brokers.publish(layout, frames).await;
    }
}
