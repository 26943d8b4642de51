#!/usr/bin/env bash
# Shows a failover on two nodes of the lab, and says what to try next.
#
#   packaging/demo.sh DEMO REPORT
set -euo pipefail
# shellcheck source=packaging/progress.sh
. "${BASH_SOURCE[0]%/*}/progress.sh"

"$1" "$2"
words "
Next, on the same two nodes, which start again in some seconds and then stay:
  make lab-status                                           # starts them; what runs where
  make lab-exec COMMAND='crm_mon -1'                       # what the cluster says there
  make lab-shell                                            # a shell on the first node
'make lab-down' removes them.
" "
接下来可以在同样的两个节点上试试（几秒钟内重新启动，之后保持运行）：
  make lab-status                                           # 启动节点并显示各资源的位置
  make lab-exec COMMAND='crm_mon -1'                       # 在节点上查看集群状态
  make lab-shell                                            # 第一个节点上的 shell
用 make lab-down 移除这两个节点。
"
