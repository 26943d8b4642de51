//! What cannot be decided about which resource is the database's.

crate::texts! {
    DATABASES: "the cluster has several databases: {names}. Say which one with --resource ID, or write resource = \"ID\" at the top of {file}",
        "集群中有多个数据库：{names}。请用 --resource ID 指定，或在 {file} 开头写入 resource = \"ID\"";
    NO_SUCH_DATABASE: "the cluster has no database resource '{named}'; it has: {names}", "集群中没有数据库资源“{named}”；现有：{names}";
    FILE_SYSTEMS: "several file systems may be the database's: {names}. Put the right one into the database's group, or colocate the database with it",
        "无法确定数据库使用哪个文件系统资源：{names}。请将正确的一个加入数据库所在的组，或为数据库添加与它的 colocation 约束";
    REPLICATION: "several DRBD resources may be the database's: {names}. Write the right one into {file}: [drbd] resource = \"NAME\"",
        "无法确定数据库使用哪个 DRBD 资源：{names}。请在 {file} 中写入：[drbd] resource = \"NAME\"";
    ADDRESSES: "several addresses may be the database's: {names}. Write the right one into {file}: [virtual_ip] address = \"ADDRESS\"",
        "无法确定哪个地址属于数据库：{names}。请在 {file} 中写入：[virtual_ip] address = \"ADDRESS\"";
    ADDRESS_TAKEN: "{address} is the address of {names}, which belongs to another service; [virtual_ip] address in {file} must be one of the database's own",
        "{address} 是 {names} 的地址，属于另一个服务；{file} 中的 [virtual_ip] address 必须是数据库自己的地址";
}
