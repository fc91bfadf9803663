use super::*;

/// A list on one line: its name and time, its rows, and how many could not be read.
fn told(frame: &str) -> String {
    let Some(lists) = decode(frame) else {
        return "none".into();
    };
    let [list] = lists.as_slice() else {
        return format!("{} lists", lists.len());
    };
    let mut words = vec![format!("{}@{}", list.name, list.updated)];
    words.extend(list.rows.iter().map(row));
    if list.unreadable > 0 {
        words.push(format!("{} unreadable", list.unreadable));
    }
    words.join(" ")
}

fn row(row: &TopRow) -> String {
    let max = row.max.map_or("-".into(), |max| max.to_string());
    let errors = row.errors.map_or("-".into(), |errors| errors.to_string());
    let TopRow {
        key,
        kind,
        host,
        sum,
        mean,
        count,
        ..
    } = row;
    format!("{key}({kind} {host} {sum} {mean} {max} {count} {errors})")
}

fn check(cases: &[(&str, &str)]) {
    for (frame, want) in cases {
        assert_eq!(told(frame), *want, "{frame}");
    }
}

#[test]
fn the_new_form_is_read() {
    check(&[
        (
            r#"[{"ServiceID":"s","Port":"5000","HostName":"h1","MessageType":"http","Key":"/a","CumulativeTime":12.5,"AverageTime":2.5,"MaxTime":7,"Count":5,"AbnormalCount":1}]"#,
            "@ /a(http h1 12.5 2.5 7 5 1)",
        ),
        (
            r#" [{"Key":"/a"}, {"Key":"SELECT 1","MessageType":"mysql","Count":2}] "#,
            "@ /a(  0 0 0 0 0) SELECT 1(mysql  0 0 0 2 0)",
        ),
        ("[]", "@"),
        (" [ ] \n", "@"),
        // The server's order stays.
        (
            r#"[{"Key":"b","CumulativeTime":1},{"Key":"a","CumulativeTime":9}]"#,
            "@ b(  1 0 0 0 0) a(  9 0 0 0 0)",
        ),
        // Numbers as texts; nothing at all as nothing.
        (
            r#"[{"Key":"a","CumulativeTime":"12.5","AverageTime":" 2 ","MaxTime":null,"Count":"3","AbnormalCount":"1.9"}]"#,
            "@ a(  12.5 2 0 3 1)",
        ),
        (
            r#"[{"Key":7,"MessageType":5,"HostName":true}]"#,
            "@ 7(5 true 0 0 0 0 0)",
        ),
        (
            r#"[{"Key":"a","MessageType":{"b":1},"HostName":[1],"Extra":{"Key":"b"}}]"#,
            "@ a(  0 0 0 0 0)",
        ),
        (
            r#"[{"Key":"a","CumulativeTime":-0.0,"Count":1e30}]"#,
            "@ a(  0 0 0 18446744073709551615 0)",
        ),
        // Names count by their case.
        (
            r#"[{"key":"a"},{"Key":"b","count":3}]"#,
            "@ b(  0 0 0 0 0) 1 unreadable",
        ),
    ]);
}

#[test]
fn a_row_that_is_none_loses_no_other() {
    check(&[
        (
            r#"[{"Count":1},{"Key":""},{"Key":null},{"Key":["a"]},{"Key":"a"}]"#,
            "@ a(  0 0 0 0 0) 4 unreadable",
        ),
        (
            r#"[1,"a",null,true,[],{"Key":"a"},{}]"#,
            "@ a(  0 0 0 0 0) 6 unreadable",
        ),
        (
            r#"[{"Key":"a","CumulativeTime":-1},{"Key":"b","AverageTime":"NaN"},{"Key":"c","MaxTime":"inf"}]"#,
            "@ 3 unreadable",
        ),
        (
            r#"[{"Key":"a","Count":"many"},{"Key":"b","Count":-1},{"Key":"c","AbnormalCount":true},{"Key":"d","CumulativeTime":[1]}]"#,
            "@ 4 unreadable",
        ),
        (r#"[{"Key":"a","Count":""}]"#, "@ 1 unreadable"),
    ]);
    let many = format!("[{}1]", r#"{"Key":"a"},"#.repeat(1500));
    let list = decode(&many).unwrap().remove(0);
    assert_eq!((list.rows.len(), list.unreadable), (1000, 501));
}

#[test]
fn the_old_form_is_read() {
    check(&[
        (
            r#"{"name":"SumTimeByUrl","data":[{"tenant":"t","service":"s","url":"/a","avgtime":"1.23","sumtime":"12.34","counts":"10"}],"update_time":"3:04PM"}"#,
            "SumTimeByUrl@3:04PM /a(  12.34 1.23 - 10 -)",
        ),
        (
            r#"{"update_time":"3:04PM","data":[{"sql":"SELECT 1","avgtime":"1","sumtime":"2","counts":"2"},{"sql":"","counts":"1"},{"tenant":"t"}],"name":"SumTimeBySql"}"#,
            "SumTimeBySql@3:04PM SELECT 1(  2 1 - 2 -) 2 unreadable",
        ),
        (
            r#"{"name":"SumTimeByUrl","data":[],"update_time":"3:04PM"}"#,
            "SumTimeByUrl@3:04PM",
        ),
        (
            r#"{"name":"SumTimeByUrl","data":null,"update_time":"3:04PM"}"#,
            "SumTimeByUrl@3:04PM",
        ),
        (r#"{"data":[{"url":"/a","counts":1}]}"#, "@ /a(  0 0 - 1 -)"),
        (r#"{"name":7,"data":[],"update_time":{}}"#, "7@"),
        // No list.
        (r#"{"name":"SumTimeByUrl"}"#, "none"),
        (r#"{"data":"[]"}"#, "none"),
        (r#"{"data":null}"#, "none"),
        (r#"{"name":"n","data":{},"update_time":"t"}"#, "none"),
        (r#"{"name":"n","update_time":"t"}"#, "none"),
        ("{}", "none"),
    ]);
}

#[test]
fn what_zeromq_carries_is_read() {
    check(&[
        (
            "\n2017-05-19 11:33:34 APPS SumTimeByUrl [{\"url\":\"/a b\",\"sumtime\":\"5.00\",\"avgtime\":\"2.50\",\"counts\":\"2\"}]\n",
            "SumTimeByUrl@2017-05-19 11:33:34 /a b(  5 2.5 - 2 -)",
        ),
        (
            "2017-05-19 11:33:34 APPS SumTimeBySql []",
            "SumTimeBySql@2017-05-19 11:33:34",
        ),
        ("2017-05-19 11:33:34 APPS SumTimeBySql", "none"),
        ("2017-05-19 11:33:34 APPS SumTimeBySql {}", "none"),
        ("2017-05-19 11:33:34 APPS SumTimeBySql [1", "none"),
        ("2017-05-19 11:33:34 INFO listening on [::]:80", "none"),
        ("hello 11:33:34 APPS SumTimeBySql []", "none"),
        // The cluster's message with the old form inside; its list and its CSV.
        (
            r#"{"event_id":"t.s.statistic","step":"","status":"","message":"","level":"","time":"","monitorData":"eyJuYW1lIjoiU3VtVGltZUJ5VXJsIiwiZGF0YSI6W3sidXJsIjoiL2EiLCJjb3VudHMiOiIzIn1dLCJ1cGRhdGVfdGltZSI6IjM6MDRQTSJ9"}"#,
            "SumTimeByUrl@3:04PM /a(  0 0 - 3 -)",
        ),
        (r#"{"event_id":"t","monitorData":""}"#, "none"),
        (r#"{"event_id":"t","monitorData":"bm9wZQ=="}"#, "none"),
        (r#"{"event_id":"t","monitorData":"%%%"}"#, "none"),
        (r#"{"monitorData":"/w=="}"#, "none"),
        // A message in a message in a message is none.
        (
            r#"{"monitorData":"eyJtb25pdG9yRGF0YSI6IlcxMD0ifQ=="}"#,
            "none",
        ),
        ("instance-1,12,3456", "none"),
    ]);
}

#[test]
fn what_is_no_list_is_none() {
    for frame in [
        "",
        " ",
        "ok",
        "null",
        "7",
        "\"[]\"",
        "[",
        "[]x",
        "{",
        "[{\"Key\":\"a\"}",
        "[1e999]",
        "订单",
    ] {
        assert_eq!(told(frame), "none", "{frame}");
    }
    assert_eq!(decode(&"[".repeat(100_000)), None);
}

#[test]
fn texts_are_safe_and_not_too_long() {
    let frame = r#"[{"Key":"/订单\u001b[31m\u0007","HostName":"h\u202e1","MessageType":"h"}]"#;
    assert_eq!(told(frame), "@ /订单^G(h h<U+202E>1 0 0 0 0 0)");
    let long = format!(r#"[{{"Key":"{}"}}]"#, "订".repeat(5000));
    let list = decode(&long).unwrap().remove(0);
    assert_eq!(list.rows[0].key.chars().count(), 4096);
}

#[test]
fn a_frame_that_is_cut_anywhere_is_none() {
    let whole = r#"{"name":"SumTimeByUrl","data":[{"url":"/订单","avgtime":"1","sumtime":"2","counts":"2"}],"update_time":"3:04PM"}"#;
    for (end, _) in whole.char_indices() {
        let cut = whole.get(..end).unwrap();
        assert_eq!(decode(cut), None, "{cut}");
    }
}
