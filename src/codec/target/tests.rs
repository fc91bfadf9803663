use super::*;

fn ws(text: &str) -> (String, WsFeed) {
    match Target::parse(text).unwrap().feed {
        FeedSpec::Ws(spec) => (spec.url.to_string(), spec.feed),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_fragment_is_the_id_and_never_part_of_the_request() {
    let cases = [
        (
            "ws://h:6060/docker_log#abc",
            "ws://h:6060/docker_log",
            WsFeed::DockerLog("abc".into()),
        ),
        (
            "wss://h/docker_log?host_id=a%20b#abc",
            "wss://h/docker_log?host_id=a%20b",
            WsFeed::DockerLog("abc".into()),
        ),
        (
            "ws://h/console/regions/R/websocket/event_log#e",
            "ws://h/console/regions/R/websocket/event_log",
            WsFeed::EventLog("e".into()),
        ),
        (
            "ws://h:6060/websocket#t.s.statistic",
            "ws://h:6060/websocket",
            WsFeed::Mpush("t.s.statistic".into()),
        ),
        (
            "ws://h/new_monitor_message#a",
            "ws://h/new_monitor_message",
            WsFeed::Monitor("a".into()),
        ),
        (
            "ws://[::1]:6060/x/y/docker_log#a",
            "ws://[::1]:6060/x/y/docker_log",
            WsFeed::DockerLog("a".into()),
        ),
    ];
    for (text, url, feed) in cases {
        assert_eq!(ws(text), (url.to_owned(), feed), "{text}");
    }
    let (_, feed) = ws("ws://h/services/a/pubsub#l-a,m-a,e-x");
    assert_eq!(
        feed,
        WsFeed::Pubsub(
            ["l-a", "m-a", "e-x"]
                .iter()
                .filter_map(|c| Channel::parse(c))
                .collect()
        )
    );
}

#[test]
fn zeromq_targets_carry_their_options() {
    let target =
        Target::parse("tcp://10.0.0.1:9242?layout=docker3&bind=true&service=s1#aa,bb").unwrap();
    let want = ZmqSpec {
        address: "10.0.0.1:9242".into(),
        bind: true,
        layout: Layout::Docker3,
        prefixes: vec!["aa".into(), "bb".into()],
        service: Some("s1".into()),
    };
    assert_eq!(target.feed, FeedSpec::Zmq(want));
    assert!(!target.has_history());
    let FeedSpec::Zmq(all) = Target::parse("tcp://h:1").unwrap().feed else {
        panic!()
    };
    assert_eq!(all.prefixes, vec![String::new()]);
}

#[test]
fn what_cannot_be_meant_is_refused_with_reason_and_next_step() {
    let cases = [
        ("", "no target"),
        ("nonsense", "no target"),
        ("ws://h:6060/docker_log", "SERVICE_ID is missing"),
        ("ws://h:6060/docker_log#a=b", "can't hold '='"),
        ("ws://h:6060/nowhere#a", "neither a log"),
        ("ws://h:6060/docker_console#a/b", "tenant, service and pod"),
        ("ws:///docker_log#a", "neither a log"),
        ("ws://h/services/a/pubsub", "channel is missing"),
        ("ws://h/services/a/pubsub#x-a", "no channel"),
        ("http://h/docker_log#a", "ws://"),
        ("ftp://h/x", "ftp:// is not known"),
        ("tcp://h#a", "host and port"),
        ("tcp://h:1/x#a", "no path"),
        ("tcp://h:1?layout=nope#a", "\"nope\" is not known"),
        ("tcp://h:1?hwm=3#a", "hwm is not known"),
        ("ws://h:99999/docker_log#a", "no URL"),
        ("ws://u:p@h/docker_log#a", "password"),
        ("file:", "names no file"),
    ];
    for (text, want) in cases {
        let fault = Target::parse(text).expect_err(text);
        assert_eq!(fault.kind, FaultKind::Usage, "{text}");
        assert!(fault.to_string().contains(want), "{text}: {fault}");
        assert!(!fault.next.is_empty(), "{text}");
        assert!(!fault.to_string().contains(":p@"), "{fault}");
    }
}

#[test]
fn a_log_knows_a_part_of_its_shell() {
    for (log, shell) in [
        (
            "wss://h/x/docker_log?host_id=1#abc",
            "wss://h/x/docker_console#TENANT_ID/abc/POD",
        ),
        ("ws://h/event_log#e", ""),
        ("-", ""),
    ] {
        assert_eq!(Target::parse(log).unwrap().shell_like(), shell);
    }
}

#[test]
fn files_and_standard_input() {
    assert_eq!(Target::parse("-").unwrap().feed, FeedSpec::Stdin);
    assert_eq!(
        Target::parse("file:a/b.log").unwrap().feed,
        FeedSpec::File("a/b.log".into())
    );
    assert_eq!(Target::parse("file:///var/x.log").unwrap().name, "x.log");
}

#[test]
fn what_an_unknown_option_says_is_not_shown() {
    let fault = Target::parse("tcp://h:1?token=S3cret").unwrap_err();
    let shown = format!("{fault} {fault:?}");
    assert!(
        shown.contains("token") && !shown.contains("S3cret"),
        "{shown}"
    );
}
