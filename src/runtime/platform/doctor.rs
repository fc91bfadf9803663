//! `deckwatch doctor`: what is examined, and where its findings go.

use std::io::{self, Write};
use std::sync::Arc;

use crate::cli::platform_args::{DoctorArgs, Findings};
use crate::codec::target::{FeedSpec, Target};
use crate::doctor::{self, Check, Subject, Verdict, report};
use crate::model::Fault;
use crate::runtime::setup::{For, Setup};

/// Examines all, one after the other; the first fault decides the exit code.
pub(super) async fn run(args: &DoctorArgs, setup: &Setup) -> Result<u8, Fault> {
    let mut code = 0;
    for subject in subjects(args, setup)? {
        let verdict = match found(subject, setup).await {
            Ok(found) => {
                let mut verdicts = Vec::new();
                for subject in &found {
                    verdicts.push(one(subject, args.output).await);
                }
                verdicts
            }
            Err(verdict) => {
                write(&closing(&verdict, args.output));
                vec![verdict]
            }
        };
        for verdict in verdict {
            if code == 0 {
                code = verdict.exit_code();
            }
        }
    }
    Ok(code)
}

/// What is asked for: targets, else all contexts, else the current one.
fn subjects(args: &DoctorArgs, setup: &Setup) -> Result<Vec<Subject>, Fault> {
    if !args.targets.is_empty() {
        return args
            .targets
            .iter()
            .map(|text| Ok(Subject::Target(Box::new(Target::parse(text)?))))
            .collect();
    }
    if args.all {
        let every = setup.contexts.every();
        if !every.is_empty() {
            return Ok(every.into_iter().map(Subject::Context).collect());
        }
    }
    let current = setup.contexts.get(None)?;
    Ok(vec![Subject::Context(Arc::clone(current))])
}

/// What a name means. Where the platform does not even answer that, its own verdict says why.
async fn found(subject: Subject, setup: &Setup) -> Result<Vec<Subject>, Verdict> {
    let Subject::Target(target) = subject else {
        return Ok(vec![subject]);
    };
    let context = match &target.feed {
        FeedSpec::Name(name) => setup.contexts.get(name.context.as_deref()).cloned().ok(),
        _ => None,
    };
    let text = target.text.clone();
    let fault = match setup.look_up(vec![*target], For::Logs).await {
        Ok(targets) => {
            let subjects = targets.into_iter().map(Box::new).map(Subject::Target);
            return Ok(subjects.collect());
        }
        Err(fault) => fault,
    };
    if let Some(context) = context {
        let subject = Subject::Context(context);
        let verdict = doctor::examine(&subject, &mut |_| ()).await;
        if verdict.kind.is_some() {
            return Ok(vec![subject]);
        }
    }
    Err(Verdict::of(&text, &fault))
}

async fn one(subject: &Subject, output: Findings) -> Verdict {
    if output == Findings::Text {
        write(&report::head(&subject.name()));
    }
    let mut tell = |check: &Check| {
        write(&match output {
            Findings::Text => report::line(check),
            Findings::Json => report::check_json(check),
        });
    };
    let verdict = doctor::examine(subject, &mut tell).await;
    write(&closing(&verdict, output));
    verdict
}

fn closing(verdict: &Verdict, output: Findings) -> String {
    match output {
        Findings::Text => report::last(verdict),
        Findings::Json => report::verdict_json(verdict),
    }
}

/// A reader that has left changes nothing about what is found: the exit code tells it.
fn write(text: &str) {
    let mut out = io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}
