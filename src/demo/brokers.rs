//! The ZeroMQ endpoints of the brokers, one port for each layout of frames (protocols.md 5.2).
//! Publishing never waits for a subscriber; what a slow one does not take is lost, as with the
//! real brokers.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::sleep;
use zeromq::{PubSocket, Socket, SocketSend, ZmqMessage};

/// What the frames of a message are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Layout {
    /// Z1: tenant id, component id, `cid: line`.
    Docker3,
    /// Z2: component id, `cid: line`.
    Docker2,
    /// Z3: one JSON object.
    DockerJson,
    /// Z5: `labor.topic`, level, text.
    Labor3,
    /// Z6: `ceptop`, `DATE TIME TAG NAME JSON`.
    Ceptop2,
    /// Z7: mode word, payload.
    Cluster2,
}

impl Layout {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Docker3,
        Self::Docker2,
        Self::DockerJson,
        Self::Labor3,
        Self::Ceptop2,
        Self::Cluster2,
    ];

    /// Its name in a URL's `layout=`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Docker3 => "docker3",
            Self::Docker2 => "docker2",
            Self::DockerJson => "dockerjson",
            Self::Labor3 => "labor3",
            Self::Ceptop2 => "ceptop2",
            Self::Cluster2 => "cluster2",
        }
    }
}

#[derive(Debug)]
enum Order {
    Publish(Vec<Bytes>),
    Restart {
        downtime: Duration,
        done: oneshot::Sender<()>,
    },
}

#[derive(Clone, Debug)]
struct Broker {
    layout: Layout,
    address: SocketAddr,
    orders: mpsc::Sender<Order>,
}

/// The way to the brokers; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Brokers(Vec<Broker>);

impl Brokers {
    /// Binds them all; their tasks go into `tasks`.
    pub(super) async fn bind(tasks: &mut JoinSet<()>) -> io::Result<Self> {
        let mut brokers = Vec::new();
        for layout in Layout::ALL {
            let (socket, address) = bind(0).await?;
            // A flood that a publisher's task cannot take is lost, see `offer`.
            let (orders, inbox) = mpsc::channel(4096);
            tasks.spawn(publish(socket, address, inbox));
            brokers.push(Broker {
                layout,
                address,
                orders,
            });
        }
        Ok(Self(brokers))
    }

    fn find(&self, layout: Layout) -> Option<&Broker> {
        self.0.iter().find(|broker| broker.layout == layout)
    }

    pub(super) fn address(&self, layout: Layout) -> Option<SocketAddr> {
        self.find(layout).map(|broker| broker.address)
    }

    /// Publishes if there is room in the queue.
    pub(super) fn offer(&self, layout: Layout, frames: Vec<Bytes>) {
        if let Some(broker) = self.find(layout) {
            // A broker loses what it cannot take.
            let _ = broker.orders.try_send(Order::Publish(frames));
        }
    }

    /// Publishes, waiting for room in our own queue but for no subscriber.
    pub(super) async fn publish(&self, layout: Layout, frames: Vec<Bytes>) {
        if let Some(broker) = self.find(layout) {
            let _ = broker.orders.send(Order::Publish(frames)).await;
        }
    }

    /// Ends the endpoint and all its connections, and opens it again on the same port.
    pub(super) async fn restart(&self, layout: Layout, downtime: Duration) {
        let Some(broker) = self.find(layout) else {
            return;
        };
        let (done, reopened) = oneshot::channel();
        if broker
            .orders
            .send(Order::Restart { downtime, done })
            .await
            .is_ok()
        {
            let _ = reopened.await;
        }
    }
}

async fn bind(port: u16) -> io::Result<(PubSocket, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let address = listener.local_addr()?;
    let mut socket = PubSocket::new();
    socket
        .bind_listener(listener)
        .await
        .map_err(io::Error::other)?;
    Ok((socket, address))
}

async fn publish(mut socket: PubSocket, address: SocketAddr, mut orders: mpsc::Receiver<Order>) {
    while let Some(order) = orders.recv().await {
        match order {
            Order::Publish(frames) => {
                // It goes into the library's queue, or is lost there.
                if let Some(message) = message(frames) {
                    let _ = socket.send(message).await;
                }
            }
            Order::Restart { downtime, done } => {
                let _ = socket.close().await;
                sleep(downtime).await;
                socket = reopen(address.port()).await;
                // Whoever asked and left needs no answer.
                let _ = done.send(());
            }
        }
    }
}

async fn reopen(port: u16) -> PubSocket {
    loop {
        match bind(port).await {
            Ok((socket, _)) => return socket,
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

fn message(frames: Vec<Bytes>) -> Option<ZmqMessage> {
    let mut frames = frames.into_iter();
    let mut message = ZmqMessage::from(frames.next()?);
    for frame in frames {
        message.push_back(frame);
    }
    Some(message)
}
