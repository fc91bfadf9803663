use std::path::Path;

use super::*;
use crate::model::Level;
use crate::model::alert::{Compare, Subject};
use crate::model::metric::{Metric, Unit};
use crate::model::recipe::{Limit, What};

fn read(text: &str) -> Result<Config, String> {
    Config::parse(Path::new("/c/config.toml"), text).map_err(|fault| fault.to_string())
}

#[test]
fn values_are_read_with_the_line_that_they_stand_on() {
    let config = read(
        "# mine\nlang = \"zh-CN\"\ncontext = \"prod\"\n\n[contexts.prod]\n\
         server = \"https://a\"\nread-only = true\ncredential-command = [\"pass\", \"x\"]\n\
         [contexts.prod.targets]\n\"t/a/c\" = \"ws://h:6060/docker_log#1\"\n",
    )
    .unwrap();
    let at = |line| Origin::File("/c/config.toml".into(), line);
    let lang = config.lang.unwrap();
    assert_eq!((lang.value, lang.origin), (Lang::Zh, at(2)));
    assert_eq!(config.context.unwrap().origin, at(3));
    let (name, prod) = &config.contexts[0];
    assert_eq!(name, "prod");
    assert_eq!(prod.server.as_ref().unwrap().origin, at(6));
    assert!(prod.read_only.as_ref().unwrap().value);
    assert_eq!(prod.targets[0].1.origin, at(10));
}

#[test]
fn what_is_wrong_is_told_with_file_line_and_key() {
    for (text, want) in [
        (
            "lang = \"xx\"\n",
            "/c/config.toml:1: lang: \"xx\" is no language",
        ),
        (
            "\nthem = \"dark\"\n",
            "/c/config.toml:2:1: unknown field `them`",
        ),
        ("theme = dark\n", "/c/config.toml:1:9: "),
        ("mouse = \"yes\"\n", "/c/config.toml:1:9: invalid type"),
        (
            "buffer = \"12 apples\"\n",
            "/c/config.toml:1: buffer: \"12 apples\" is no size",
        ),
        (
            "[contexts.ws]\nserver = \"x\"\n",
            "/c/config.toml:1: contexts.ws: \"ws\" means",
        ),
        ("[contexts.a]\n\nserver = 7\n", "/c/config.toml:3:10: "),
        (
            "[contexts.a]\napi = \"x\"\n",
            "/c/config.toml:2: api: \"x\" is no kind of API",
        ),
    ] {
        let fault = read(text).unwrap_err();
        assert!(fault.starts_with(want), "{text:?}: {fault}");
    }
}

#[test]
fn a_flag_beats_the_environment_which_beats_a_file() {
    let file = Setting {
        value: 1,
        origin: Origin::File("f".into(), 1),
    };
    let origin = |flag, env| file.clone().over(flag, env).origin.to_string();
    assert_eq!(origin(Some(("--a", 3)), Some(("A", 2))), "--a");
    assert_eq!(origin(None, Some(("A", 2))), "$A");
    assert_eq!(origin(None, None), "f:1");
}

#[test]
fn a_written_context_is_read_back() {
    let values = [
        ("server", write::Value::Text("https://a/\"b\"".into())),
        ("read-only", write::Value::Switch(true)),
        (
            "credential-command",
            write::Value::List(vec!["a b".into(), "c".into()]),
        ),
    ];
    let targets = [("t/a/订单".to_owned(), "ws://h/docker_log#1".to_owned())];
    let text = write::context(&values, &targets);
    let mut config = Config::default();
    schema::read_context(Path::new("/c/contexts.d/prod.toml"), &text, &mut config).unwrap();
    let (name, file) = &config.contexts[0];
    assert_eq!(name, "prod");
    assert_eq!(file.server.as_ref().unwrap().value, "https://a/\"b\"");
    assert_eq!(
        file.credential_command.as_ref().unwrap().value,
        ["a b", "c"]
    );
    assert_eq!(file.targets[0].0, "t/a/订单");
    let again = schema::read_context(Path::new("/d/prod.toml"), &text, &mut config);
    assert!(
        again
            .unwrap_err()
            .to_string()
            .contains("stands in /c/contexts.d/prod.toml too")
    );
}

#[test]
fn charts_and_alerts_are_read() {
    let config = read(
        "[[charts]]\nmetric = \"cpu\"\nwarn = 500\nerror = 800.5\n\
         [[charts]]\ntitle = \"JVM heap\"\nquery = \"jvm{service_id=\\\"{service_id}\\\"}\"\nunit = \"MiB\"\n\
         [[alerts]]\nname = \"hot\"\nwhen = \"cpu > 800 for 1m\"\ncomponent = \"pay*\"\nbell = false\nnotify = true\n\
         [[alerts]]\nwhen = \"chart(JVM heap) <= 1\"\n",
    )
    .unwrap();
    let [cpu, heap] = &config.charts[..] else {
        panic!("{:?}", config.charts)
    };
    assert_eq!(
        (&cpu.what, cpu.unit),
        (&What::Metric(Metric::Cpu), Unit::Millicores)
    );
    let limit = |above, level| Limit { above, level };
    assert_eq!(
        cpu.limits,
        [limit(500.0, Level::Warn), limit(800.5, Level::Error)]
    );
    let query = "jvm{service_id=\"{service_id}\"}".to_owned();
    assert_eq!(
        (heap.title.as_str(), &heap.what, heap.unit),
        ("JVM heap", &What::Own(query), Unit::Mebibytes)
    );
    let [hot, chart] = &config.alerts[..] else {
        panic!("{:?}", config.alerts)
    };
    assert_eq!(
        (&*hot.name, &hot.subject, hot.compare, hot.value),
        ("hot", &Subject::Metric(Metric::Cpu), Compare::Above, 800.0)
    );
    assert_eq!(
        (hot.lasting.as_secs(), &*hot.component, hot.bell, hot.notify),
        (60, "pay*", false, true)
    );
    // What is not said: its expression as its name, every component, a bell.
    assert_eq!(
        (&*chart.name, &*chart.component, chart.bell, chart.notify),
        ("chart(JVM heap) <= 1", "", true, false)
    );
    assert_eq!(chart.subject, Subject::Chart("JVM heap".to_owned()));
}

#[test]
fn what_is_wrong_with_a_chart_or_an_alert_is_told_with_its_line() {
    for (text, want) in [
        (
            "[[charts]]\nmetric = \"heat\"\n",
            "/c/config.toml:2: charts.metric: \"heat\" is no metric; write one of cpu, ",
        ),
        (
            "[[charts]]\nmetric = \"cpu\"\n\nquery = \"up\"\n",
            "/c/config.toml:2: charts: a chart is of a metric or of a query; write metric",
        ),
        (
            "lang = \"en\"\n[[charts]]\nquery = \" \"\n",
            "/c/config.toml:3: charts: a chart is of a metric or of a query",
        ),
        (
            "[[charts]]\nquery = \"up\"\nunit = \"furlongs\"\n",
            "/c/config.toml:3: charts.unit: \"furlongs\" is no unit; write one of count, ",
        ),
        (
            "[[charts]]\nmetric = \"cpu\"\nwarn = \"much\"\n",
            "/c/config.toml:3:8: ",
        ),
        (
            "[[charts]]\nmetric = \"cpu\"\ncolour = \"red\"\n",
            "/c/config.toml:3:1: unknown field `colour`",
        ),
        (
            "[[alerts]]\nwhen = \"cpu > 1\"\n[[alerts]]\nwhen = \"heat > 5\"\n",
            "/c/config.toml:4: alerts.when: \"heat\" can't be watched: write rate(LEVEL)",
        ),
        (
            "[[alerts]]\nwhen = \"cpu\"\n",
            "/c/config.toml:2: alerts.when: \"cpu\" is no expression; write one like",
        ),
        (
            "[[alerts]]\nwhen = \"chart(heap) > 1\"\n",
            "/c/config.toml:2: alerts.when: no chart has the title \"heap\"; give it",
        ),
        (
            "[[alerts]]\nname = \"x\"\n",
            "/c/config.toml:1:1: missing field `when`",
        ),
        (
            "[[alerts]]\nwhen = \"cpu > 1\"\nbell = 1\n",
            "/c/config.toml:3:8: invalid type",
        ),
    ] {
        let fault = read(text).unwrap_err();
        assert!(fault.starts_with(want), "{text:?}: {fault}");
    }
    // A chart that says nothing is told too.
    let fault = read("lang = \"en\"\n[[charts]]\ntitle = \"x\"\n").unwrap_err();
    assert!(
        fault.contains("a chart is of a metric or of a query"),
        "{fault}"
    );
}
