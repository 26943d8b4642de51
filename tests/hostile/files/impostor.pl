use strict; use IO::Socket::INET; use IO::Select;
$SIG{TERM} = $SIG{HUP} = $SIG{PIPE} = 'IGNORE';
my %role;
for my $port (26257, 8080) {
    my $socket = IO::Socket::INET->new(LocalAddr => '0.0.0.0', LocalPort => $port, Listen => 50, ReuseAddr => 1) or next;
    $role{$socket} = $port;
    $role{"$socket:listens"} = $socket;
}
my $select = IO::Select->new(grep { ref } values %role);
my %listens = map { $_ => 1 } grep { ref } values %role;
sub message { my ($kind, $body) = @_; return $kind . pack('N', 4 + length $body) . $body }
while (1) {
    for my $ready ($select->can_read) {
        if ($listens{$ready}) {
            my $client = $ready->accept or next;
            $role{$client} = $role{$ready};
            $select->add($client);
            next;
        }
        my $read = sysread($ready, my $data, 65536);
        if (!$read) { $select->remove($ready); close $ready; next }
        if ($role{$ready} == 8080) {
            my $body = '{"nodeId":1}';
            syswrite($ready, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " . length($body) . "\r\n\r\n$body");
            $select->remove($ready); close $ready;
        } elsif (substr($data, 0, 1) eq 'Q') {
            if ($data =~ /cluster_id/) {
                syswrite($ready, message('E', "SERROR\0C42883\0Munknown function\0\0") . message('Z', 'I'));
            } elsif ($ENV{FLOOD}) {
                my $rows = message('D', pack('n', 8000) . ("\xff\xff\xff\xff" x 8000)) x 100;
                while (defined syswrite($ready, $rows)) {}
                $select->remove($ready); close $ready;
            } else {
                syswrite($ready, message('D', pack('n', 1) . pack('N', 1) . '1') . message('C', "SELECT 1\0") . message('Z', 'I'));
            }
        } else {
            syswrite($ready, message('R', pack('N', 0)) . message('Z', 'I'));
        }
    }
}
