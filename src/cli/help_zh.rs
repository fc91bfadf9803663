//! The command line's help in Chinese, by its English text: what `args.rs` says in its comments.

pub(super) mod platform;

/// English as clap has it, and Chinese.
pub(super) const TABLE: &[(&str, &str)] = &[
    // The program.
    (
        "Live logs and shells of a container platform, side by side in the terminal, or for scripts",
        "在终端里并排查看容器平台的实时日志、打开容器终端，也可用于脚本",
    ),
    (super::args::ABOUT, ABOUT),
    (
        "Try it without any server: deckwatch demo",
        "不需要任何服务端即可试用：deckwatch demo",
    ),
    ("What to open in the interface", "要在界面中打开的目标"),
    (
        "The language of texts: en or zh-CN; without it DECKWATCH_LANG says, else the locale",
        "文字的语言：en 或 zh-CN；不写则按 DECKWATCH_LANG，再按系统区域设置",
    ),
    // The interface.
    (
        "All targets in one merged pane, coloured by source",
        "所有目标合并到一个窗格，按来源着色",
    ),
    (
        "A theme's name, or the path of a theme file",
        "主题的名称，或主题文件的路径",
    ),
    (
        "Memory for all lines of all panes",
        "所有窗格的所有行可用的内存",
    ),
    (
        "Lines have a number, which this pattern finds (its group, if it has one): missing ones are told",
        "行带有编号，由此模式找出（有分组则取分组）：缺失的编号会告知",
    ),
    (
        "Mouse wheel and click (Shift-drag still selects in the terminal)",
        "鼠标滚轮和点击（按住 Shift 拖动仍是本机终端的选择）",
    ),
    (
        "Colours: by NO_COLOR and the terminal, or as said",
        "颜色：按 NO_COLOR 和终端决定，或按此处所写",
    ),
    // The commands.
    ("Print lines; go on with -f", "打印日志行；加 -f 持续跟随"),
    ("The same as logs -f", "等同于 logs -f"),
    (
        "Wait until a line matches: logs -f -q --tail 0 --until-match RE",
        "等到有一行匹配：logs -f -q --tail 0 --until-match RE",
    ),
    (
        "Type into a container: a raw shell, or one command with --exec",
        "在容器中输入：原始终端，或用 --exec 执行一条命令",
    ),
    (
        "Show a recording of a shell (asciicast v2)",
        "播放终端录像（asciicast v2）",
    ),
    (
        "Run a platform inside this process and look at it",
        "在本进程内运行一个演示平台并查看它",
    ),
    (
        "Repair a terminal that a killed program left unusable",
        "修复被强行终止的程序弄乱的终端",
    ),
    // Lines.
    ("Lines", "行"),
    ("What to print", "要打印的目标"),
    ("Go on after the history", "历史之后继续跟随"),
    ("End after the history", "历史之后结束"),
    ("Of the history only the last N lines", "历史只取最后 N 行"),
    (
        "Only lines that match (may be repeated: all must)",
        "只要匹配的行（可重复：须全部匹配）",
    ),
    (
        "No lines that match (may be repeated)",
        "不要匹配的行（可重复）",
    ),
    (
        "Patterns are text, not regular expressions",
        "模式是普通文本，不是正则表达式",
    ),
    (
        "Patterns ignore case; without it they do when they have no capital letter",
        "模式忽略大小写；不加时，模式中没有大写字母才忽略",
    ),
    (
        "Only lines that state this level or a higher one",
        "只要标明此级别或更高级别的行",
    ),
    // Output.
    ("Output", "输出"),
    (
        "text: source and line, controls escaped; raw: the bytes; json: one object a line",
        "text：来源和行，控制字符转义；raw：原始字节；json：每行一个对象",
    ),
    ("Without the source in front", "前面不加来源"),
    ("With the time of each line", "带每行的时间"),
    (
        "The zone of shown times, and of stamps without one",
        "显示时间所用的时区；也用于不带时区的时间戳",
    ),
    (
        "Control characters in text: auto shows marks on a terminal and escapes in a pipe",
        "文本中的控制字符：auto 在终端上显示为标记，在管道中转义",
    ),
    ("Allow raw bytes on a terminal", "允许向终端输出原始字节"),
    (
        "Also write to a file; to a directory: a file per component",
        "同时写入文件；若是目录，则每个组件一个文件",
    ),
    (
        "A tee file is rotated at this size",
        "写入的文件达到此大小时轮转",
    ),
    ("So many rotated files are kept", "保留的轮转文件数"),
    (
        "When the output is too slow: drop the oldest lines and count them, stop reading, or end",
        "输出太慢时：丢弃最早的行并计数、停止读取，或结束",
    ),
    (
        "Lines waiting for a slow output, at most",
        "等待慢速输出的行最多占用的内存",
    ),
    (
        "A summary on standard error at the end",
        "结束时在标准错误输出汇总",
    ),
    (
        "Nothing about connections on standard error",
        "标准错误上不报告连接情况",
    ),
    // End.
    ("End", "结束"),
    (
        "End with 0 when a line matches, of the history too (without: --tail 0)",
        "有一行匹配时以 0 结束，历史也算（不算则加 --tail 0）",
    ),
    (
        "Only the Nth line that matches --until-match ends",
        "第 N 个匹配 --until-match 的行才结束",
    ),
    ("End with 1 when a line matches", "有一行匹配时以 1 结束"),
    ("End after N printed lines", "打印 N 行后结束"),
    (
        "Go on for this time, then end (124 if --until-match was not met)",
        "持续这么久后结束（--until-match 未满足则以 124 结束）",
    ),
    (
        "End when no line came for this time (124 if --until-match was not met)",
        "这么久没有新行则结束（--until-match 未满足则以 124 结束）",
    ),
    (
        "Lost links: auto (for ever after a first success), never, or N attempts",
        "连接断开后：auto（首次成功后一直重连）、never（不重连），或重试 N 次",
    ),
    (
        "A possible gap or a dropped line ends with 6",
        "可能有缺口或有丢弃的行时以 6 结束",
    ),
    (
        "Tell when this begins and ends to hold: rate(error) > 5 for 30s, cpu > 800 (may be repeated)",
        "条件开始和不再成立时告知：rate(error) > 5 for 30s、cpu > 800（可重复）",
    ),
    (
        "No printed line at all ends with 1",
        "一行都没有打印时以 1 结束",
    ),
    // `wait`.
    ("Where to look", "要查看的目标"),
    ("What a line has to match", "行须匹配的模式"),
    (
        "Give up after this time, with 124",
        "超过这么久则放弃，以 124 结束",
    ),
    (
        "End with 1 when a line matches this",
        "有一行匹配此模式时以 1 结束",
    ),
    // `shell`.
    (
        "ws://HOST:6060/docker_console#TENANT_ID/SERVICE_ID/POD[/CONTAINER], or the page of a GoTTY or ttyd",
        "ws://HOST:6060/docker_console#TENANT_ID/SERVICE_ID/POD[/CONTAINER]，或 GoTTY、ttyd 的页面",
    ),
    (
        "Run one command: its output alone, its exit code ours (needs a POSIX shell there; the command reads no standard input)",
        "执行一条命令：只输出它的输出，以它的退出码退出（容器中须有 POSIX shell；命令不读标准输入）",
    ),
    (
        "How long all of it may take, the wait for the container too (124 when it takes longer)",
        "总共可用的时间，含等待容器（超时以 124 结束）",
    ),
    (
        "The server's dialect, instead of finding it out: platform, platform-v1, gotty1, gotty2, gottysor, ttyd",
        "指定服务端协议而不自动识别：platform、platform-v1、gotty1、gotty2、gottysor、ttyd",
    ),
    (
        "The password of user@ in the URL is the first line of this file",
        "URL 中 user@ 的密码取自此文件的第一行",
    ),
    (
        "The password is the first line of standard input",
        "密码取自标准输入的第一行",
    ),
    (
        "Write a recording of what is shown (asciicast v2); what is typed is not in it",
        "把显示的内容录制下来（asciicast v2）；输入不会录下",
    ),
    ("Enter ~. means nothing", "Enter ~. 不再表示断开"),
    (
        "Nothing about the connection on standard error",
        "标准错误上不报告连接情况",
    ),
    // `replay`.
    ("The recording", "录像文件"),
    (
        "How fast: 2x is twice its own speed",
        "播放速度：2x 为原速的两倍",
    ),
    (
        "Print what it shows as text, at once, instead of playing it",
        "不播放，而是立即以文本打印其内容",
    ),
    // `demo`.
    (
        "Only the servers: print the targets to try, and run until Ctrl-C",
        "只运行服务端：打印可试用的目标，直到 Ctrl-C",
    ),
    (
        "The port of the WebSocket endpoints",
        "WebSocket 端点的端口",
    ),
    (
        "Lines a second, as a factor on the usual",
        "每秒行数，以通常速率的倍数表示",
    ),
    ("What is made up follows from it", "随机内容由此种子决定"),
    // Values.
    ("By the terminal and the environment", "按终端和环境变量"),
    ("In any case", "总是"),
    ("In no case", "从不"),
    ("As on a terminal, or as in a pipe", "视终端或管道而定"),
    ("As on a terminal", "按终端的方式"),
    ("Bytes as they came", "保留原始字节"),
    ("For people", "供人阅读"),
    ("For archives", "供归档"),
    ("For programs", "供程序处理"),
    ("As in 15:04:05.000", "形如 15:04:05.000"),
    (
        "As in 2006-01-02 15:04:05.000",
        "形如 2006-01-02 15:04:05.000",
    ),
    (
        "As in 2006-01-02T15:04:05.000000+08:00",
        "形如 2006-01-02T15:04:05.000000+08:00",
    ),
    ("Seconds since the start", "自启动起的秒数"),
    ("Every line that states a level", "所有标明级别的行"),
    ("INFO and above", "INFO 及以上"),
    ("WARN and above", "WARN 及以上"),
    ("ERROR and above", "ERROR 及以上"),
    (
        "Drop the oldest, and say how many",
        "丢弃最早的行，并报告数量",
    ),
    (
        "Stop reading; the server will then drop without telling",
        "停止读取；服务端随后会悄悄丢弃",
    ),
    ("End with 6", "以 6 结束"),
];

const ABOUT: &str = "\
在终端里并排查看容器平台的实时日志、打开容器终端，也可用于脚本。

TARGET（目标）可以是：
  TEAM/APP/COMPONENT[/POD[/CONTAINER]]           按名字，当前上下文中（deckwatch context）；
                                                 CONTEXT:TEAM@REGION/…，* 和 ?，re:REGEX
  ws://HOST:6060/docker_log#SERVICE_ID           组件的日志
  ws://HOST:6060/event_log#EVENT_ID              事件（构建、部署）
  ws://HOST/services/ID/pubsub#l-ID,e-EVENT      频道：l 日志，m 监控，s 两者，e 事件
  ws://HOST:6060/new_monitor_message#SERVICE_ID  请求分析，表格
  ws://HOST:6060/websocket#TOPIC                 mpush
  tcp://HOST:9242#PREFIX                         ZeroMQ（?layout= ?bind=true ?service=）
  file:PATH  或  -                               文件或标准输入的行
  ws://HOST:6060/docker_console#TENANT_ID/SERVICE_ID/POD[/CONTAINER]
                                                 容器的终端（?namespace= ?debug=true）
  http://HOST:8080/                              GoTTY 或 ttyd 提供的终端
wss:// 和前面的任意路径同样可用；# 后的内容不会作为请求发送。
请给目标加引号：# 和 ? 对多数 shell 有特殊含义。";

/// clap's own words, each before those that it contains.
pub(super) const LABELS: &[(&str, &str)] = &[
    (
        "Print help (see more with '--help')",
        "显示帮助（用 --help 查看更多）",
    ),
    (
        "Print help (see a summary with '-h')",
        "显示帮助（用 -h 查看摘要）",
    ),
    (
        "Print this message or the help of the given subcommand(s)",
        "显示本帮助，或所给命令的帮助",
    ),
    ("Print help", "显示帮助"),
    ("Print version", "显示版本"),
    ("[possible values: ", "[可选值："),
    ("[short aliases: ", "[短别名："),
    ("[aliases: ", "[别名："),
    ("[short alias: ", "[短别名："),
    ("[alias: ", "[别名："),
    ("[default: ", "[默认："),
    ("[env: ", "[环境变量："),
];

/// Headings of clap's own, each alone at a row's start.
pub(super) const HEADINGS: &[(&str, &str)] = &[
    ("Usage:", "用法："),
    ("Commands:", "命令："),
    ("Arguments:", "参数："),
    ("Options:", "选项："),
    ("Possible values:", "可选值："),
];

/// What stands for others in a row of usage.
pub(super) const USAGE: &[(&str, &str)] = &[
    ("[OPTIONS]", "[选项]"),
    ("[COMMAND]", "[命令]"),
    ("<COMMAND>", "<命令>"),
];
