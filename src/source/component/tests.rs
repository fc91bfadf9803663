//! What a component makes of what its pods' readers tell; no reader runs here.

use tokio::sync::mpsc::Receiver;

use super::*;
use crate::model::batch::Item;
use crate::model::catalog::Component as Named;
use crate::model::context::{Api, Context};
use crate::model::{FeedUpdate, TargetId};
use crate::source::{Lag, as_received};

struct Desk {
    component: Component<RawBatch>,
    inbox: Receiver<(TargetId, FeedUpdate<RawBatch>)>,
}

impl Desk {
    fn new(pods: &[&str], reconnect: Reconnect) -> Self {
        let (sender, inbox) = mpsc::channel(1000);
        let context = Context::new("test", "http://127.0.0.1:1".parse().unwrap(), Api::Region);
        let names = ("team", "region", "app");
        let place = Place::of(&Arc::new(context), names, Named::default());
        let policy = Policy {
            reconnect,
            follow: true,
            seed: 1,
        };
        let outlet = Outlet::new(TargetId(0), sender, as_received, Lag::Block);
        let orders = mpsc::channel(1).1;
        let mut component = Component::new("test".to_owned(), place, policy, orders, outlet);
        component.take_pods(&list(pods));
        component.readers.abort_all();
        component.settle();
        Self { component, inbox }
    }

    fn hear(&mut self, pod: &str, news: News) -> Option<Next> {
        let next = self.component.hear(pod, news);
        self.component.settle();
        next
    }

    fn fail(&mut self, pod: &str, failures: u32) -> Option<Next> {
        let fault = Fault::new(FaultKind::Lost, pod, "it broke", "wait");
        let wait = Duration::from_secs(1);
        let failure = Failure {
            wait,
            failures,
            fault,
        };
        self.hear(pod, News::Failed(failure))
    }

    fn is_live(&self) -> bool {
        self.component.state == Some(LinkState::Live)
    }

    fn notices(&mut self) -> Vec<String> {
        let mut notices = Vec::new();
        while let Ok((_, update)) = self.inbox.try_recv() {
            let FeedUpdate::Lines(batch) = update else {
                continue;
            };
            for item in batch.iter() {
                if let Item::Mark(Mark::Notice(text)) = item {
                    notices.push(text.to_string());
                }
            }
        }
        notices
    }
}

fn list(names: &[&str]) -> Vec<Pod> {
    let pod = |name: &&str| Pod {
        name: (*name).to_owned(),
        ..Pod::default()
    };
    names.iter().map(pod).collect()
}

#[tokio::test]
async fn a_pod_that_cannot_be_had_does_not_keep_the_others_from_being_live() {
    let mut desk = Desk::new(&["a", "b"], Reconnect::Auto);
    assert!(desk.hear("a", News::Opened).is_none());
    assert!(desk.hear("a", News::Live).is_none());
    assert!(!desk.is_live(), "the other one's history is to come");
    assert!(desk.fail("b", 1).is_none());
    assert!(desk.is_live());
    assert_eq!(desk.notices().len(), 1);
    // A stream that was had and is cut in its history is waited for.
    let mut desk = Desk::new(&["a"], Reconnect::Auto);
    assert!(desk.hear("a", News::Opened).is_none());
    assert!(desk.fail("a", 1).is_none());
    assert!(!desk.is_live() && desk.notices().is_empty());
    assert!(desk.fail("a", 2).is_none());
    assert!(desk.is_live());
}

#[tokio::test]
async fn pods_are_asked_for_again_as_often_as_is_wanted() {
    // Never had: the end, unless somebody waits for it.
    let mut desk = Desk::new(&["a", "b"], Reconnect::Auto);
    assert!(desk.fail("a", 1).is_none());
    assert!(desk.fail("b", 1).is_none());
    assert!(!desk.is_live());
    desk.component.policy.follow = false;
    assert!(matches!(desk.fail("b", 2), Some(Next::End(_))));
    let mut desk = Desk::new(&["a"], Reconnect::Patient);
    assert!(desk.fail("a", 100).is_none());
    // Those that are given up are not started anew, until they have gone and come again.
    for (reconnect, most) in [(Reconnect::Never, 0), (Reconnect::Times(3), 3)] {
        let mut desk = Desk::new(&["a", "b"], reconnect);
        assert!(desk.hear("a", News::Opened).is_none());
        for failures in 1..=most {
            assert!(desk.fail("a", failures).is_none());
        }
        assert!(!*desk.component.pods["a"].gone.borrow());
        assert!(desk.fail("a", most + 1).is_none());
        assert!(*desk.component.pods["a"].gone.borrow(), "its reader ends");
        assert!(desk.hear("a", News::Over).is_none());
        desk.component.take_pods(&list(&["a", "b"]));
        assert!(!desk.component.pods.contains_key("a"));
        assert!(matches!(desk.fail("b", most + 1), Some(Next::End(_))));
        desk.component.take_pods(&list(&["b"]));
        desk.component.take_pods(&list(&["a", "b"]));
        assert!(desk.component.pods.contains_key("a"));
    }
}

#[tokio::test]
async fn a_new_pod_without_a_log_yet_is_no_server_without_streams() {
    let refusal = || {
        let error = DialError::never(FaultKind::NotFound, "a", "404", "look");
        News::Refused(error.because(Cause::NotFound))
    };
    let mut desk = Desk::new(&["a"], Reconnect::Auto);
    let next = desk.hear("a", refusal());
    assert!(matches!(next, Some(Next::Sockets(_))));
    // One that is replaced by its successor.
    let mut desk = Desk::new(&["a"], Reconnect::Auto);
    assert!(desk.hear("a", News::Opened).is_none());
    assert!(desk.hear("a", News::Over).is_none());
    desk.component.take_pods(&list(&["b"]));
    assert!(desk.hear("b", refusal()).is_none());
    assert!(desk.notices()[0].contains("no log yet"));
}

#[tokio::test]
async fn pods_that_are_not_read_are_told_of() {
    let names: Vec<String> = (0..PODS + 6).map(|pod| format!("pod-{pod}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut desk = Desk::new(&names, Reconnect::Auto);
    assert!(desk.notices()[0].starts_with("6 more pods are not read"));
    desk.component.take_pods(&list(&names));
    assert!(desk.notices().is_empty(), "once");
}
