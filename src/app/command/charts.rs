//! Charts and the time cursor. Their own keys stand where charts have the focus, see
//! `app::chart::keys`; here is what leads to them, and what they can do, for the help.

use crate::app::pane::Strip;
use crate::app::state::App;
use crate::lang::words;

use super::Command;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "charts",
        keys: &["C"],
        help: words(
            "charts of this component below: ← → the time cursor, which lines follow; e the peak, ( ) what happened, Enter the lines of that moment; < > mark a range, Enter its lines alone; n N charts, o one alone, j k lines, Space S hide, alone; + - = zoom, { } pan, G live, p freeze; u units, b dots, Z from 0, y copy values",
            "在下方显示该组件的图表：← → 移动时间光标，日志随之移动；e 峰值，( ) 事件，Enter 该时刻的日志；< > 选择范围，Enter 只看其中的日志；n N 切换图，o 单图，j k 选线，空格 S 隐藏、独显；+ - = 缩放，{ } 平移，G 实时，p 冻结；u 单位，b 点，Z 从 0 起，y 复制数值",
        ),
        run: App::open_charts,
    },
    Command {
        name: "volume",
        keys: &["i"],
        help: words(
            "how many lines came when, over the lines: bars by level, then a map of levels, then nothing",
            "在日志上方显示行数随时间的分布：按级别的柱图，再按为级别热图，再按关闭",
        ),
        run: |app| {
            app.with_pane(|pane, _| {
                pane.times.strip = match pane.times.strip {
                    Strip::Off => Strip::Bars,
                    Strip::Bars => Strip::Heat,
                    Strip::Heat => Strip::Off,
                };
            });
        },
    },
    Command {
        name: "live",
        keys: &[],
        help: words(
            "the present again, in charts and lines",
            "图表和日志都回到实时",
        ),
        run: App::leave_moment,
    },
];
