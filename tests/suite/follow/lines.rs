//! Which lines are printed, and which of them end the run. The lines come from standard input:
//! filters and conditions know nothing of where a line comes from.

use crate::program::program;

const LOG: &str = "\
2026-11-24T10:00:00Z INFO start
2026-11-24 10:00:01 WARN slow query
[ERROR] boom
level=debug msg=x
plain Line
plain line
";

/// The lines of [`LOG`], counted from 1.
fn picked(numbers: &[usize]) -> String {
    let lines = LOG.lines().enumerate();
    let kept = lines.filter(|(index, _)| numbers.contains(&(index + 1)));
    kept.flat_map(|(_, line)| [line, "\n"]).collect()
}

#[tokio::test]
async fn filters_and_conditions_do_what_they_say() {
    let all: &[usize] = &[1, 2, 3, 4, 5, 6];
    let cases: &[(&str, &[usize], i32)] = &[
        ("", all, 0),
        ("--tail all", all, 0),
        ("--tail 9", all, 0),
        ("--tail 2", &[5, 6], 0),
        ("--tail 0", &[], 0),
        ("--no-follow", all, 0),
        // Smart case: a capital letter means itself.
        ("-i plain", &[5, 6], 0),
        ("-i Line", &[5], 0),
        ("-i LINE", &[], 0),
        ("-i LINE --ignore-case", &[5, 6], 0),
        ("-i plain -i Line", &[5], 0),
        ("-g boom", &[3], 0),
        ("--grep ^plain", &[5, 6], 0),
        ("--include l.ne$", &[5, 6], 0),
        ("-e line", &[1, 2, 3, 4], 0),
        ("-e Line", &[1, 2, 3, 4, 6], 0),
        ("-e boom -e plain", &[1, 2, 4], 0),
        ("-i plain -e Line", &[6], 0),
        ("-F -i [ERROR]", &[3], 0),
        ("--fixed-strings -i l.ne", &[], 0),
        ("--level debug", &[1, 2, 3, 4], 0),
        ("--level info", &[1, 2, 3], 0),
        ("--level warn", &[2, 3], 0),
        ("--level error", &[3], 0),
        ("--level warn -e boom", &[2], 0),
        ("--max-lines 2", &[1, 2], 0),
        ("--max-lines 1 -i plain", &[5], 0),
        ("--tail 3 --max-lines 1", &[4], 0),
        ("--require-match -i boom", &[3], 0),
        ("--require-match -i nothing", &[], 1),
        ("--until-match boom", &[1, 2, 3], 0),
        ("--until-match nothing", all, 1),
        ("--until-match plain --count 2", all, 0),
        ("--until-match plain --count 3", all, 1),
        ("--until-match BOOM", all, 1),
        ("--until-match BOOM --ignore-case", &[1, 2, 3], 0),
        ("--until-match [error] -F", &[1, 2, 3], 0),
        ("--until-match boom --max-lines 2", &[1, 2], 1),
        ("--fail-match boom", &[1, 2, 3], 1),
        ("--fail-match nothing", all, 0),
        ("--until-match boom --fail-match slow", &[1, 2], 1),
        ("--until-match slow --fail-match boom", &[1, 2], 0),
        // A condition looks at every line, also at one that a filter keeps back.
        ("--until-match boom -e boom", &[1, 2], 0),
        ("--until-match boom -i nothing", &[], 0),
        ("--strict", all, 0),
    ];
    for (args, numbers, code) in cases {
        let words = ["logs", "-"].into_iter().chain(args.split_whitespace());
        let done = program(words).input(LOG).end().await;
        assert_eq!(done.code, Some(*code), "{args}: {}", done.err);
        assert_eq!(done.text(), picked(numbers), "{args}");
    }
}

#[tokio::test]
async fn the_summary_adds_up_and_quiet_keeps_it() {
    for (args, want) in [
        ("-i plain", "6 lines = printed 2 + filtered 4 + dropped 0"),
        ("--tail 1", "6 lines = printed 1 + filtered 5 + dropped 0"),
        (
            "--tail 0 -q",
            "6 lines = printed 0 + filtered 6 + dropped 0",
        ),
        ("-o json", "6 lines = printed 6 + filtered 0 + dropped 0"),
    ] {
        let words = ["logs", "-", "--stats"]
            .into_iter()
            .chain(args.split_whitespace());
        let done = program(words).input(LOG).end().await.expect(0);
        assert!(done.err.contains(want), "{args}: {}", done.err);
        assert_eq!(done.err.lines().count(), 1, "{args}: {}", done.err);
        let bytes: usize = if args == "--tail 0 -q" {
            0
        } else {
            done.out.len()
        };
        let told = done.err.rsplit("; ").next().unwrap().replace(',', "");
        assert_eq!(told.trim(), format!("{bytes} bytes written"), "{args}");
    }
}

#[tokio::test]
async fn time_runs_out_with_0_and_with_124_where_a_match_was_wanted() {
    for (args, code) in [
        ("logs - --for 200ms", 0),
        ("logs - --idle 200ms", 0),
        ("logs - -f --for 200ms", 0),
        ("logs - --for 200ms --require-match -i nothing", 1),
        ("logs - --for 200ms --until-match nothing", 124),
        ("logs - --idle 200ms --until-match nothing", 124),
        ("wait - --match nothing --timeout 200ms", 124),
    ] {
        let mut run = program(args.split(' ')).open_input().start();
        run.feed(LOG.as_bytes());
        let done = run.end().await;
        assert_eq!(done.code, Some(code), "{args}: {}", done.err);
    }
}

#[tokio::test]
async fn a_line_holds_idle_off() {
    let args = "logs - --idle 2s -q";
    let mut run = program(args.split(' ')).open_input().start();
    for number in 0..12 {
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
        run.feed(format!("{number}\n").as_bytes());
    }
    assert_eq!(run.end().await.expect(0).lines().len(), 12);
}

#[tokio::test]
async fn wait_answers_by_its_exit_code_and_says_nothing() {
    for (args, code) in [
        ("wait - --match boom", 0),
        ("wait - --match BOOM", 1),
        ("wait - --match nothing", 1),
        ("wait - --match nothing --fail-match slow", 1),
        ("wait - -F --match [error]", 0),
    ] {
        let done = program(args.split(' ')).input(LOG).end().await;
        assert_eq!(
            (done.code, done.err.as_str()),
            (Some(code), ""),
            "{args}: {}",
            done.err
        );
    }
}
