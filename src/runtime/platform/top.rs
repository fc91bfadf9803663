//! `deckwatch top`: what components use, once or again and again.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use serde_json::{Map, Value, json};
use tokio::time::sleep;

use crate::app::overview::{self, Overlook};
use crate::app::tree::deeds::text_of;
use crate::cli::contexts::Contexts;
use crate::cli::platform_args::{Findings, Table, TopArgs};
use crate::clock;
use crate::codec::name::Scope;
use crate::codec::stamp;
use crate::model::context::{Api, Context};
use crate::model::usage::{METRICS, Usage};
use crate::model::{Fault, FaultKind, Micros};
use crate::platform::usage::{UsageReader, window};
use crate::platform::{Platform, is_exposed};
use crate::runtime::setup::Setup;
use crate::runtime::signals;
use crate::say;
use crate::text::spark;
use crate::word;

use super::table::{Row, render};

/// A platform and the names that mean its components, as they were typed; none are all of them.
type Asked = (Arc<Context>, Vec<Named>);

/// A name, and what it means.
type Named = (String, Scope);

/// Names of a component: its team's, its app's, its own.
const DEPTH: usize = 3;
/// Bars of a cell.
const BARS: usize = 8;

/// Prints what was asked for. Ends with 130 or 143 by a signal, else with 0.
pub(super) async fn run(args: &TopArgs, contexts: &Contexts) -> Result<u8, Fault> {
    let mut readers = Vec::new();
    for (context, scopes) in asked(args, contexts)? {
        if is_exposed(&context) {
            let server = &context.server;
            super::login::warn(&say!(
                "{server} is not encrypted: anyone on the way can read the token and the answers",
                "{server} 未加密：途中任何人都能读到令牌和应答"
            ));
        }
        readers.push((UsageReader::new(Platform::new(&context)), scopes));
    }
    let mut signals = signals::headless()?;
    let mut round = 0;
    loop {
        let looked = tokio::select! {
            biased;
            signal = signals.recv() => return Ok(signal.unwrap_or(0)),
            looked = look(args, &mut readers, round == 0) => looked,
        };
        let at = clock::wall();
        let text = match looked {
            Ok(usages) => text(args, &usages, at),
            // What is watched may come back; what was never there is told at once.
            Err(fault) if args.watch.is_some() && round > 0 => {
                super::login::warn(&fault.to_string());
                String::new()
            }
            Err(fault) => return Err(fault),
        };
        round += 1;
        let more = args.watch.is_some() && args.count.is_none_or(|count| round < count);
        let gap = if more && args.output == Findings::Text && !text.is_empty() {
            "\n"
        } else {
            ""
        };
        if !super::write(&format!("{text}{gap}"))? {
            return Ok(0);
        }
        let Some(pause) = args.watch.filter(|_| more) else {
            return Ok(0);
        };
        tokio::select! {
            biased;
            signal = signals.recv() => return Ok(signal.unwrap_or(0)),
            () = sleep(pause) => {}
        }
    }
}

/// The table as a pane of the interface.
pub(in crate::runtime) fn start(
    args: &TopArgs,
    setup: &Setup,
) -> Result<crate::runtime::tui::Start, Fault> {
    let mut asked = asked(args, &setup.contexts)?.into_iter();
    let (Some((context, named)), None) = (asked.next(), asked.next()) else {
        let what = args.names.join(" ");
        let why = say!("these are of several platforms", "它们属于多个平台");
        let next = say!(
            "name one, or print them without --watch",
            "请只写一个平台的，或去掉 --watch"
        );
        return Err(Fault::new(FaultKind::Usage, what, why, next));
    };
    let mut scopes: Vec<Scope> = named.into_iter().map(|(_, scope)| scope).collect();
    if args.all_teams && scopes.is_empty() {
        scopes.push(Scope::parse(""));
    }
    Ok(crate::runtime::tui::Start::Overview(Overlook {
        context,
        scopes,
        by: args.sort,
        ascending: args.reverse,
        every: args.watch.unwrap_or(overview::LOOK),
    }))
}

/// A platform that can be asked: one of WebSockets alone measures nothing.
fn measured(context: &Arc<Context>) -> Result<Arc<Context>, Fault> {
    if context.api == Api::Bare {
        let why = say!(
            "it has WebSockets alone: nothing can be measured there",
            "它只有 WebSocket：无法获取监控数据"
        );
        let next = say!(
            "name a context with a console or a region API",
            "请使用带控制台或区域 API 的上下文"
        );
        return Err(Fault::new(FaultKind::Usage, &context.name, why, next));
    }
    Ok(Arc::clone(context))
}

/// Which components of which platforms.
fn asked(args: &TopArgs, contexts: &Contexts) -> Result<Vec<Asked>, Fault> {
    if args.names.is_empty() {
        return Ok(vec![(measured(contexts.get(None)?)?, Vec::new())]);
    }
    let mut asked: Vec<Asked> = Vec::new();
    for name in &args.names {
        let scope = Scope::parse(name);
        let context = measured(contexts.get(scope.context.as_deref())?)?;
        let named = (name.clone(), scope);
        match asked.iter_mut().find(|(known, _)| *known == context) {
            Some((_, all)) => all.push(named),
            None => asked.push((context, vec![named])),
        }
    }
    Ok(asked)
}

/// What is used now. `first`: a name that means nothing is told; later it may have gone.
async fn look(
    args: &TopArgs,
    readers: &mut [(UsageReader, Vec<Named>)],
    first: bool,
) -> Result<Vec<Usage>, Fault> {
    let mut all = Vec::new();
    for (reader, named) in readers {
        let met: Vec<AtomicBool> = named.iter().map(|_| AtomicBool::new(false)).collect();
        let wanted = |path: &[&[&str]]| {
            let mut any = named.is_empty();
            for ((_, scope), met) in named.iter().zip(&met) {
                let leads = scope.leads_to(path);
                any |= leads;
                if leads && path.len() == DEPTH {
                    met.store(true, Relaxed);
                }
            }
            any
        };
        let every = args.all_teams || !named.is_empty();
        let usages = reader.read(every, &wanted, window(clock::wall())).await;
        all.extend(usages.map_err(|error| error.fault)?);
        let mut names = named.iter().zip(&met);
        let missed = names.find(|(_, met)| first && !met.load(Relaxed));
        if let Some(((name, _), _)) = missed {
            let why = say!("nothing has such a name", "没有这样的名字");
            let next = say!(
                "deckwatch get components lists what there is",
                "deckwatch get components 会列出所有组件"
            );
            return Err(Fault::new(FaultKind::NotFound, name, why, next));
        }
    }
    args.sort.sort(&mut all, args.reverse);
    Ok(all)
}

fn text(args: &TopArgs, usages: &[Usage], at: Micros) -> String {
    let format = match args.output {
        Findings::Text => Table::Text,
        Findings::Json => Table::Json,
    };
    let rows: Vec<Row> = usages.iter().map(|usage| row(usage, at)).collect();
    let heads = [
        word!("COMPONENT", "组件"),
        word!("PODS", "实例"),
        "CPU",
        word!("MEMORY", "内存"),
        word!("RESPONSE", "响应时间"),
        word!("REQUESTS", "请求"),
        word!("NET IN", "流入"),
        word!("NET OUT", "流出"),
        word!("ONLINE", "在线"),
    ];
    render(format, &heads, &rows)
}

fn row(usage: &Usage, at: Micros) -> Row {
    let place = &usage.place;
    let mut cells = vec![place.path(), usage.pods.to_string()];
    let mut json = Map::new();
    let time = stamp::timestamp(at).map(|at| at.to_string());
    for (name, value) in [
        ("type", json!("usage")),
        ("ts", json!(time)),
        ("context", json!(place.context.name)),
        ("team", json!(place.team)),
        ("region", json!(place.region)),
        ("app", json!(place.app)),
        ("component", json!(place.component.name)),
        ("alias", json!(place.component.alias)),
        ("service_id", json!(place.component.id)),
        ("pods", json!(usage.pods)),
    ] {
        json.insert(name.to_owned(), value);
    }
    for (metric, cell) in METRICS.iter().zip(&usage.cells) {
        let unit = metric.unit();
        let bars = spark::line(&cell.trend, BARS);
        cells.push(match cell.now {
            Some(now) => format!("{:>9} {bars}", unit.show(now)),
            None => format!("{:>9}", "–"),
        });
        let trend: Vec<Value> = cell.trend.iter().map(|value| json!(value)).collect();
        let value = json!({"value": cell.now, "unit": unit.word(), "trend": trend});
        json.insert(metric.word().replace('-', "_"), value);
    }
    Row {
        cells,
        json,
        name: text_of(place),
    }
}
