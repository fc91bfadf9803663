use super::*;
use crate::lang::{Lang, within};

fn sample(at: i64, value: f64) -> Sample {
    let at = Micros(at);
    Sample { at, value }
}

/// What is read, on one line: series with samples `seconds=value`, then what is not plain.
fn told(body: &[u8], most: usize) -> String {
    let measured = match decode(body, most) {
        Ok(measured) => measured,
        Err(refusal) => return format!("refused {}: {}", refusal.kind, refusal.words),
    };
    let series = measured.series.iter().map(|series| {
        let samples = series.samples.iter();
        let samples = samples.map(|sample| format!("{}={}", seconds(sample.at), sample.value));
        let samples: Vec<_> = samples.collect();
        format!("{}[{}]", labels(&series.labels), samples.join(" "))
    });
    let mut words: Vec<String> = series.collect();
    if measured.blank {
        words.push("blank".into());
    }
    let flaws = measured.flaws;
    for (count, name) in [
        (flaws.unreadable, "unreadable"),
        (flaws.disordered, "disordered"),
        (flaws.left_out, "left out"),
    ] {
        if count > 0 {
            words.push(format!("{count} {name}"));
        }
    }
    words.extend(measured.notes.iter().map(|note| format!("({note})")));
    words.join(" ")
}

fn seconds(at: Micros) -> f64 {
    at.0 as f64 / 1e6
}

fn labels(labels: &Labels) -> String {
    let pairs = labels.iter().map(|(name, value)| format!("{name}={value}"));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
}

/// An answer of Prometheus around a result.
fn success(result: &str) -> String {
    format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":{result}}}}}"#)
}

fn check(cases: &[(&str, &str)]) {
    for (body, want) in cases {
        assert_eq!(told(body.as_bytes(), 10), *want, "{body}");
    }
}

fn check_results(cases: &[(&str, &str)]) {
    for (result, want) in cases {
        assert_eq!(told(success(result).as_bytes(), 10), *want, "{result}");
    }
}

#[test]
fn every_envelope_is_opened() {
    check(&[
        // Prometheus' own, and the same by way of the console, in any order of members.
        (
            r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"pod":"a"},"values":[[1,"2"],[2.5,"3"]]}]}}"#,
            "{pod=a}[1=2 2.5=3]",
        ),
        (
            r#"{"code":200,"msg":"success","msg_show":"查询成功","data":{"bean":{"resultType":"matrix","result":[{"metric":{"pod":"a"},"values":[[1,"2"]]}]},"list":[]}}"#,
            "{pod=a}[1=2]",
        ),
        (
            r#"{"bean":{"resultType":"vector","result":[{"metric":{},"value":[1,"2"]}]}}"#,
            "{}[1=2]",
        ),
        (
            r#"{"bean":{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"2"]}]}}}"#,
            "{}[1=2]",
        ),
        (
            r#"{"data":{"result":[{"values":[[1,"2"]],"metric":{}}],"resultType":"matrix"},"status":"success"}"#,
            "{}[1=2]",
        ),
        (
            r#"{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"]]}]}"#,
            "{}[1=2]",
        ),
        (" \n{\"result\" : [ ] }\n", ""),
        // An empty result is a result.
        (
            r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#,
            "",
        ),
        (
            r#"{"status":"success","data":{"resultType":"matrix","result":null}}"#,
            "",
        ),
        (
            r#"{"code":200,"data":{"bean":{"resultType":"vector","result":[]}}}"#,
            "",
        ),
        // None is not.
        (
            r#"{"code":200,"msg":"success","msg_show":"查询成功","data":{"bean":{},"list":[]}}"#,
            "blank",
        ),
        (r#"{"code":200,"data":{"bean":null,"list":[]}}"#, "blank"),
        (r#"{"code":200,"data":{"bean":[]}}"#, "blank"),
        (r#"{"code":200,"data":{}}"#, "blank"),
        (r#"{"code":200,"data":null}"#, "blank"),
        (r#"{"code":200}"#, "blank"),
        (r#"{"bean":{}}"#, "blank"),
        (r#"{"bean":""}"#, "blank"),
        (r#"{"bean":null}"#, "blank"),
        (r#"{"status":"success"}"#, "blank"),
        (
            r#"{"status":"success","data":{"resultType":"matrix"}}"#,
            "blank",
        ),
        (r#"{"status":"success","data":{"result":null}}"#, "blank"),
        ("{}", "blank"),
        ("null", "blank"),
        // A result of the wrong type is one that cannot be read.
        (r#"{"data":{"result":"none"}}"#, "1 unreadable"),
        (r#"{"data":{"result":{"a":[1]}}}"#, "1 unreadable"),
        (r#"{"data":{"resultType":7,"result":3}}"#, "1 unreadable"),
        // Too deep is not looked for.
        (
            r#"{"data":{"data":{"data":{"data":{"result":[1,"1"]}}}}}"#,
            "blank",
        ),
    ]);
}

#[test]
fn every_type_of_result_is_read() {
    check_results(&[
        (
            r#"[{"metric":{},"value":[1435781451.781,"1"]},{"metric":{"a":"b"},"value":[1,"2"]}]"#,
            "{}[1435781451.781=1] {a=b}[1=2]",
        ),
        (r#"[{"metric":{"a":"b"},"values":[]}]"#, "{a=b}[]"),
        (r#"[1435781451.781,"1.5"]"#, "{}[1435781451.781=1.5]"),
        (r#"["7",1.5]"#, "{}[7=1.5]"),
        // A string result is a sample if it is a number.
        (r#"[7,"words"]"#, "1 unreadable"),
        (r#"["words","1"]"#, "1 unreadable"),
        ("[7]", "1 unreadable"),
        (r#"[7,"1",2]"#, "1 unreadable"),
        (r#"[true,"1"]"#, "2 unreadable"),
        // Histograms are passed over, unless they are all.
        (
            r#"[{"metric":{"a":"b"},"values":[[1,"2"]],"histograms":[[1,{"count":"1"}]]}]"#,
            "{a=b}[1=2]",
        ),
        (
            r#"[{"metric":{"a":"b"},"histogram":[1,{"count":"1","sum":"2","buckets":[[0,"1","2","3"]]}]}]"#,
            "{a=b}[] 1 unreadable",
        ),
        (
            r#"[{"metric":{"a":"b"},"histograms":[[1,{}]]}]"#,
            "{a=b}[] 1 unreadable",
        ),
    ]);
}

#[test]
fn numbers_come_as_texts_and_as_numbers() {
    check_results(&[
        (
            r#"[{"values":[[1,"NaN"],[2,"+Inf"],[3,"-Inf"],[4,"1e+06"],[5,"-0.5"],[6,"Inf"]]}]"#,
            "{}[1=NaN 2=inf 3=-inf 4=1000000 5=-0.5 6=inf]",
        ),
        (
            r#"[{"values":[[1,2],[2,-2],[3,2.5],[4,1e3],[5,18446744073709551615]]}]"#,
            "{}[1=2 2=-2 3=2.5 4=1000 5=18446744073709552000]",
        ),
        (
            r#"[{"values":[["1","2"],["2.25","3"],["1e1","4"]]}]"#,
            "{}[1=2 2.25=3 10=4]",
        ),
        (
            r#"[{"values":[[-1.5,"2"],[0,"1e999"],[1,"0x10"],[2,""],[3," 1"],[4,"1_000"]]}]"#,
            "{}[-1.5=2 0=inf] 4 unreadable",
        ),
        // Times that no microsecond can tell.
        (
            r#"[{"values":[[1e300,"1"],["NaN","1"],["inf","1"],[-1e13,"1"],[9223372036855,"1"],[9223372036854,"1"],["9.3e12","1"]]}]"#,
            "{}[9223372036854=1] 6 unreadable",
        ),
        (
            r#"[{"values":[[1700000000.123,"1"],[1700000000.124,"2"],[1700000000.1250001,"3"]]}]"#,
            "{}[1700000000.123=1 1700000000.124=2 1700000000.125=3]",
        ),
    ]);
    // The JSON library takes no number that is larger than any.
    assert_eq!(
        told(br#"{"result":[1,1e999]}"#, 1),
        "refused : the answer is no JSON"
    );
}

#[test]
fn what_is_no_sample_loses_no_other() {
    check_results(&[
        (
            r#"[{"metric":{"a":"b"},"values":[[1,"1"],[2,"x"],[3,null],[4,true],[5,[]],[6,{}],[null,"1"],[{},"1"],[true,"1"],[7,"7"]]}]"#,
            "{a=b}[1=1 7=7] 8 unreadable",
        ),
        (
            r#"[{"metric":{},"values":[[],[1],[1,"1",2],1,"1",null,{},true,[[1],"1"],[2,"2"]]}]"#,
            "{}[2=2] 9 unreadable",
        ),
        (
            r#"[{"metric":{},"values":7},{"metric":{"a":"b"},"values":null},{"metric":{"c":"d"},"values":{"1":2}}]"#,
            "{}[] {a=b}[] {c=d}[] 3 unreadable",
        ),
        (
            r#"[{"metric":{"a":"b"},"value":"1"},{"metric":{"c":"d"},"value":[1,"2"]}]"#,
            "{a=b}[] {c=d}[1=2] 1 unreadable",
        ),
        (r#"[{"metric":{"a":"b"}},{}]"#, "{a=b}[] {}[] 2 unreadable"),
        (
            r#"[{"values":[[1,"1"]]},null,true,7,"x",[1,"1"],{"metric":{"a":"b"},"value":[1,"1"]}]"#,
            "{}[1=1] {a=b}[1=1] 5 unreadable",
        ),
        // Whose samples they are is not told.
        (
            r#"[{"metric":[1],"values":[[1,"1"]]},{"metric":"x","values":[[1,"1"]]},{"metric":null,"value":[1,"1"]}]"#,
            "{}[1=1] 2 unreadable",
        ),
        (
            r#"[{"metric":{"a":1,"b":true,"c":null,"d":[1],"e":{"f":1},"g":1.5},"value":[1,"1"]}]"#,
            "{a=1,b=true,g=1.5}[1=1] 3 unreadable",
        ),
        (
            r#"[{"extra":{"values":[1]},"metric":{},"value":[1,"1"]}]"#,
            "{}[1=1]",
        ),
    ]);
}

#[test]
fn samples_are_put_in_order_and_doubles_left_out() {
    check_results(&[
        (
            r#"[{"values":[[3,"3"],[1,"1"],[2,"2"]]}]"#,
            "{}[1=1 2=2 3=3] 2 disordered",
        ),
        (
            r#"[{"values":[[1,"1"],[1,"2"],[1,"3"],[2,"4"]]}]"#,
            "{}[1=3 2=4] 2 disordered",
        ),
        (
            r#"[{"values":[[5,"1"],[1,"2"],[5,"3"]]}]"#,
            "{}[1=2 5=3] 2 disordered",
        ),
        (
            r#"[{"values":[[1,"1"],[1,"NaN"]]}]"#,
            "{}[1=NaN] 1 disordered",
        ),
        // The same series twice.
        (
            r#"[{"metric":{"a":"b","c":"d"},"values":[[1,"1"],[3,"3"]]},{"metric":{"e":"f"},"values":[[1,"9"]]},{"metric":{"c":"d","a":"b"},"values":[[2,"2"],[3,"4"],[5,"5"]]}]"#,
            "{a=b,c=d}[1=1 2=2 3=4 5=5] {e=f}[1=9] 2 disordered",
        ),
        (
            r#"[{"value":[1,"1"]},{"value":[1,"2"]},{"value":[1,"3"]}]"#,
            "{}[1=3] 2 disordered",
        ),
        (r#"[{"values":[[1,"1"]],"value":[2,"2"]}]"#, "{}[1=1 2=2]"),
    ]);
}

#[test]
fn labels_are_safe_to_show() {
    check_results(&[
        (
            r#"[{"metric":{"__name__":"up","pod":"订单-7f"},"value":[1,"1"]}]"#,
            "{__name__=up,pod=订单-7f}[1=1]",
        ),
        (
            r#"[{"metric":{"pod":"\u001b[31mred\u001b[0m\u0007\r\n"},"value":[1,"1"]}]"#,
            "{pod=red^G␍^J}[1=1]",
        ),
        (
            r#"[{"metric":{"\u001b]0;title\u0007pod":"\u202e\u8ba2"},"value":[1,"1"]}]"#,
            "{␛pod=<U+202E>订}[1=1]",
        ),
        (
            r#"[{"metric":{"a":"1","a":"2"},"value":[1,"1"]}]"#,
            "{a=1}[1=1]",
        ),
    ]);
    let long = success(&format!(
        r#"[{{"metric":{{"a":"{}"}},"value":[1,"1"]}}]"#,
        "订".repeat(5000)
    ));
    let measured = decode(long.as_bytes(), 1).unwrap();
    let read = measured.series[0].labels.get("a").unwrap();
    assert_eq!(read.chars().count(), 4096);
}

#[test]
fn a_refusal_says_what_the_server_says() {
    check(&[
        (
            r#"{"status":"error","errorType":"bad_data","error":"1:1: parse error\u001b[2J"}"#,
            "refused bad_data: 1:1: parse error␛",
        ),
        (
            r#"{"status":"error","errorType":"timeout","error":"","data":{"resultType":"matrix","result":[{"values":[[1,"1"]]}]}}"#,
            "refused timeout: the server refuses, without a reason",
        ),
        (
            r#"{"status":"error"}"#,
            "refused : the server refuses, without a reason",
        ),
        (
            r#"{"status":"down"}"#,
            "refused : the server refuses, without a reason",
        ),
        (
            r#"{"code":10405,"msg":"need login","msg_show":"请登录","data":{}}"#,
            "refused 10405: 请登录",
        ),
        (
            r#"{"code":"404","msg":"not found"}"#,
            "refused 404: not found",
        ),
        (
            r#"{"bean":{"status":"error","errorType":"execution","error":"too many points"}}"#,
            "refused execution: too many points",
        ),
        (
            r#"{"code":200,"data":{"bean":{"status":"error","errorType":"internal","error":"x"}}}"#,
            "refused internal: x",
        ),
        // The region, in its ways.
        (r#"{"msg":"no such thing"}"#, "refused : no such thing"),
        (r#"{"error":"部分服务不可用"}"#, "refused : 部分服务不可用"),
        // What is no answer at all.
        ("[]", "refused : this is no answer to a query"),
        ("7", "refused : this is no answer to a query"),
        (r#""ok""#, "refused : this is no answer to a query"),
        ("", "refused : the answer is no JSON"),
        (
            "<html>502 Bad Gateway</html>",
            "refused : the answer is no JSON",
        ),
        (r#"{"result":[]} {"#, "refused : the answer is no JSON"),
        (
            r#"{"result":[{"values":[[1,"1"],[2 "2"]]}]}"#,
            "refused : the answer is no JSON",
        ),
        (
            r#"{"result":["#,
            "refused : the answer breaks off: its JSON has no end",
        ),
    ]);
    let deep = format!("{{\"result\":{}", "[".repeat(100_000));
    assert!(decode(deep.as_bytes(), 1).is_err());
    assert!(decode(b"{\"a\xff\":1}", 1).is_err());
    let words = within(Lang::Zh, || decode(b"x", 1).unwrap_err().words);
    assert_eq!(words, "应答不是 JSON");
}

#[test]
fn what_the_server_remarks_is_kept() {
    let body = r#"{"status":"success","warnings":["a\u0007","", 7],"infos":["b"],"data":{"resultType":"matrix","result":[]}}"#;
    assert_eq!(told(body.as_bytes(), 1), "(a^G) (7) (b)");
    assert_eq!(told(br#"{"warnings":"one","result":[]}"#, 1), "(one)");
    assert_eq!(
        told(br#"{"warnings":{"a":1},"infos":null,"result":[]}"#, 1),
        ""
    );
    let many = format!(r#"{{"warnings":[{}1],"result":[]}}"#, "1,".repeat(99));
    let notes = decode(many.as_bytes(), 1).unwrap().notes;
    assert_eq!((notes.len(), &*notes[20]), (21, "and 80 more remarks"));
}

#[test]
fn series_past_the_limit_are_counted_and_no_more() {
    let one = |n: u32| format!(r#"{{"metric":{{"n":"{n}"}},"values":[[1,"{n}"]]}}"#);
    let thousand: Vec<_> = (0..1000).map(one).collect();
    let body = success(&format!("[{}]", thousand.join(",")));
    let measured = decode(body.as_bytes(), 10).unwrap();
    let values = measured.series.iter().map(|series| series.samples[0].value);
    assert!(values.eq((0..10).map(f64::from)));
    assert_eq!(measured.flaws.left_out, 990);
    let none = decode(body.as_bytes(), 0).unwrap();
    assert_eq!((none.series.len(), none.flaws.left_out), (0, 1000));
    assert_eq!(told(br#"{"result":[1,"1"]}"#, 0), "1 left out");
    // Two results share the room.
    assert_eq!(
        told(
            br#"{"result":[1,"1"],"data":{"result":[{"value":[2,"2"]},{}]}}"#,
            1
        ),
        "{}[1=1] 2 left out"
    );
}

#[test]
fn a_series_with_more_labels_than_anybody_has_is_left_out() {
    let pairs = |count: usize, long: usize| {
        let pair = |n: usize| format!(r#""l{n:03}":"{}""#, "x".repeat(long));
        let pairs: Vec<_> = (0..count).map(pair).collect();
        let metric = pairs.join(",");
        success(&format!(
            r#"[{{"metric":{{{metric}}},"values":[[1,"2"]]}},{{"metric":{{}},"values":[[1,"3"]]}}]"#
        ))
    };
    for (count, long, kept) in [
        (PAIRS, 1, true),
        (PAIRS + 1, 1, false),
        // Names have four bytes; a value has 4096 characters at most.
        (8, LABELS / 8 - 4, true),
        (8, LABELS / 8 - 3, false),
        (100_000, 10, false),
    ] {
        let measured = decode(pairs(count, long).as_bytes(), 10).unwrap();
        let left_out = u64::from(!kept);
        assert_eq!(
            measured.series.len(),
            1 + usize::from(kept),
            "{count} {long}"
        );
        assert_eq!(measured.flaws.left_out, left_out, "{count} {long}");
        assert_eq!(measured.flaws.unreadable, 0, "{count} {long}");
    }
}

#[test]
fn an_answer_that_is_cut_anywhere_is_refused() {
    let whole = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","pod":"订单"},"values":[[1.5,"1e+06"],[2,"NaN"],["3",4.5]]},{"metric":{},"value":[1,"-Inf"],"histogram":[1,{"count":"3"}]}]},"warnings":["\u001b[1mx"]}"#;
    assert!(decode(whole.as_bytes(), 9).is_ok());
    for end in 0..whole.len() {
        let cut = &whole.as_bytes()[..end];
        assert!(decode(cut, 9).is_err(), "{}", String::from_utf8_lossy(cut));
    }
    // Any one byte lost, doubled or turned: an answer of some kind, never a panic.
    for at in 0..whole.len() {
        for byte in [0, b'"', b'[', b'}', b'9', b'\\', 0xff] {
            let mut bytes = whole.as_bytes().to_vec();
            bytes[at] = byte;
            drop(decode(&bytes, 9));
            bytes.remove(at);
            drop(decode(&bytes, 9));
        }
    }
}

#[test]
fn samples_are_what_they_say() {
    let body =
        success(r#"[{"metric":{"pod":"a"},"values":[[1700000000.5,"1.25"],[1700000001,"-2"]]}]"#);
    let measured = decode(body.as_bytes(), 1).unwrap();
    let samples = vec![
        sample(1_700_000_000_500_000, 1.25),
        sample(1_700_000_001_000_000, -2.0),
    ];
    let pairs = vec![("pod".to_owned(), "a".to_owned())];
    let series = Series {
        labels: Labels::new(pairs),
        samples,
    };
    let want = Measured {
        series: vec![series],
        ..Measured::default()
    };
    assert_eq!(measured, want);
    assert!(measured.flaws.is_none());
}
