//! What `platform_args.rs` says, in Chinese.

/// English as clap has it, and Chinese.
pub(in crate::cli) const TABLE: &[(&str, &str)] = &[
    (
        "A PEM file with CAs to trust besides the system's",
        "除系统信任外，还信任此 PEM 文件中的 CA",
    ),
    (
        "A PEM file with our client certificate",
        "客户端证书的 PEM 文件",
    ),
    (
        "A command that prints a token: run without a shell, words separated by blanks",
        "打印令牌的命令：不经过 shell 运行，单词以空格分隔",
    ),
    (
        "A component by hand, for platforms without an API (may be repeated)",
        "手动列出的组件，用于没有 API 的平台（可重复）",
    ),
    (
        "A platform without a context: its address",
        "不用上下文时平台的地址",
    ),
    (
        "A proxy: http://HOST:PORT or socks5h://HOST:PORT, or none",
        "代理：http://HOST:PORT、socks5h://HOST:PORT，或 none 表示不用",
    ),
    ("A region's API (:8888, :8443)", "区域 API（:8888、:8443）"),
    ("Add a platform under a name", "以一个名字添加平台"),
    (
        "All values, with where each comes from",
        "全部配置值及其来源",
    ),
    ("Apps, with status and usage", "应用，含状态和用量"),
    ("Columns for people", "供人阅读的表格"),
    ("Components, with status", "组件，含状态"),
    ("Containers of pods", "实例中的容器"),
    ("Contexts of the configuration", "配置中的上下文"),
    ("Forget a platform's token", "删除平台的令牌"),
    (
        "Hosts that are reached without the proxy, as in `NO_PROXY`",
        "不经过代理访问的主机，写法同 `NO_PROXY`",
    ),
    ("How", "输出方式"),
    ("Its name", "名字"),
    (
        "Its name; the current one without",
        "名字；不写则为当前上下文",
    ),
    ("List the contexts", "列出上下文"),
    ("List what runs on a platform", "列出平台上运行的内容"),
    (
        "Find out what stands in the way of a target: name, network, proxy, TLS, login, protocol",
        "找出目标为何连不上：域名、网络、代理、TLS、登录、协议",
    ),
    (
        "What can't be reached; without one, the current context",
        "连不上的目标；不写则检查当前上下文",
    ),
    (
        "All contexts instead of the current one",
        "检查全部上下文，而不只是当前的",
    ),
    ("Lines for people", "供人阅读的文字"),
    ("Log in to a platform", "登录平台"),
    ("Make a context the current one", "设为当前上下文"),
    ("Names alone, as targets", "只列名字，可作目标使用"),
    ("Of all teams that you see", "所有可见的团队"),
    ("One JSON object a line", "每行一个 JSON 对象"),
    (
        "Only these: TEAM, TEAM/APP, TEAM/APP/COMPONENT; * and ? stand for anything",
        "只看这些：TEAM、TEAM/APP、TEAM/APP/COMPONENT；* 和 ? 为通配符",
    ),
    (
        "Again and again: in a terminal as a table to be sorted and entered, in a pipe as text",
        "反复刷新：在终端中为可排序、可进入的表格，在管道中为文本",
    ),
    (
        "By what: name, cpu, memory, response-time, throughput, net-in, net-out, online",
        "排序依据：name、cpu、memory、response-time、throughput、net-in、net-out、online",
    ),
    ("The least first", "从小到大"),
    ("End after so many tables", "打印这么多次后结束"),
    (
        "What components use: CPU, memory, response time, requests, network",
        "组件用量：CPU、内存、响应时间、请求、网络",
    ),
    (
        "Only these: TEAM, TEAM/APP, TEAM/APP/COMPONENT…; * and ? stand for anything",
        "只看这些：TEAM、TEAM/APP、TEAM/APP/COMPONENT…；* 和 ? 为通配符",
    ),
    ("Open no shell, change nothing", "不打开终端，不做任何更改"),
    ("Platform", "平台"),
    ("Platforms under names", "以名字管理平台"),
    ("Pods, with status and memory", "实例，含状态和内存"),
    (
        "Read all files and tell what is wrong",
        "读取全部文件并指出错误",
    ),
    ("Remove a context that was added", "删除已添加的上下文"),
    ("Replace a context of this name", "替换同名的上下文"),
    (
        "Show a context with where each value comes from",
        "显示上下文及每个值的来源",
    ),
    (
        "Take any certificate: anybody on the way can read and change everything",
        "接受任何证书：途中任何人都能读取和篡改全部内容",
    ),
    ("Teams, with their regions", "团队，含所在区域"),
    (
        "The WebSocket port (:6060): nothing can be listed",
        "WebSocket 端口（:6060）：无法列出内容",
    ),
    (
        "The colour of its panes: red, yellow, green, blue, magenta, cyan",
        "它在界面中的颜色：red、yellow、green、blue、magenta、cyan",
    ),
    ("The configuration", "配置"),
    (
        "The configuration file, instead of ~/.config/deckwatch/config.toml",
        "配置文件，代替 ~/.config/deckwatch/config.toml",
    ),
    ("The console", "控制台"),
    (
        "The context that names without one mean",
        "名字未写上下文时所用的上下文",
    ),
    (
        "The context; the current one without",
        "上下文；不写则为当前上下文",
    ),
    ("The key of --cert", "--cert 的私钥"),
    ("The keys, with your own", "按键，包括您自己的设置"),
    (
        "The region that names without one mean",
        "名字未写区域时所用的区域",
    ),
    (
        "The team that names without one mean",
        "名字未写团队时所用的团队",
    ),
    (
        "The token is the first line of standard input",
        "令牌为标准输入的第一行",
    ),
    (
        "The token is the first line of this file, which only you may read",
        "令牌为此文件的第一行，该文件只能由您读取",
    ),
    ("What", "列出什么"),
    (
        "What answers at --server: the console, a region's API, or the WebSocket port alone",
        "--server 是什么：控制台、区域 API，或仅 WebSocket 端口",
    ),
    (
        "What the platform does with components: builds, deploys, restarts",
        "平台对组件的操作：构建、部署、重启",
    ),
    (
        "Where its WebSockets are, if not where the API says: what stands in front of /docker_log",
        "WebSocket 的地址（若与 API 所说不同）：/docker_log 之前的部分",
    ),
    ("Where the files are", "文件的位置"),
    ("Who logs in", "登录的用户名"),
    ("Who; asked for without", "用户名；不写则会询问"),
    ("Write a file to begin with", "写出一份初始配置"),
    (
        "Print a script for your shell: names of targets are completed from the platform",
        "输出 shell 补全脚本：目标名可由平台补全",
    ),
    ("Which shell", "哪种 shell"),
    (
        "Print the manual, or write its pages to a directory",
        "输出手册，或把各页写入目录",
    ),
    (
        "Where the pages go; the main page is printed without",
        "手册页写入的目录；不写则打印主页",
    ),
    ("How bytes of lines are read", "日志行字节的编码"),
    (
        "Open a view that was saved under this name with :view",
        "打开用 :view 以此名字保存的视图",
    ),
    (
        "Nothing that was open last comes back",
        "不恢复上次打开的内容",
    ),
    (
        "GB 18030, for lines that are no UTF-8",
        "GB 18030，用于不是 UTF-8 的行",
    ),
    ("The same: GBK is a part of it", "同上：GBK 是其子集"),
    ("UTF-8", "UTF-8"),
];
