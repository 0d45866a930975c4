import type { ChannelOptions } from '@grpc/grpc-js';
import type { WireChannelOptions } from '@sluice/wire/client/wire-channel';
import type { TlsSource } from '@sluice/wire/tls';

/**
 * What a proxy of ours may add to a message: a request grows by its version, an answer by two parameters. A limit behind
 * a proxy is larger by so much for requests, and the proxy's own for answers, so that what one hop takes the next does.
 */
export const hopBytes = 256;

const common = {
  // Its bookkeeping costs every call; metrics say what it would.
  'grpc.enable_channelz': 0,
  'grpc-node.max_session_memory': Number.MAX_SAFE_INTEGER,
} as const;

/** @param maxMessageBytes largest request, after decompression */
export function serverChannelOptions(maxMessageBytes: number, keepaliveMs: number): ChannelOptions {
  return {
    ...common,
    'grpc.max_receive_message_length': maxMessageBytes,
    // Our adapter checks what is sent and says how large it is; grpc-js's check would bypass metrics.
    'grpc.max_send_message_length': -1,
    'grpc.keepalive_time_ms': keepaliveMs,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc-node.flow_control_window': 1024 * 1024,
  };
}

/** How clients connect and notice that a peer is gone, on either stack. Times are in milliseconds. */
const patience = { firstBackoffMs: 100, mostBackoffMs: 2_000, keepaliveMs: 10_000, keepaliveTimeoutMs: 5_000 };

/** The same as `clientChannelOptions` for channels of libs/wire. */
export function wireChannelOptions(
  maxMessageBytes: number,
  tls?: TlsSource,
): Omit<WireChannelOptions, 'clock' | 'random'> {
  const { firstBackoffMs, mostBackoffMs, keepaliveMs, keepaliveTimeoutMs } = patience;
  return {
    ...{ maxMessageOctets: maxMessageBytes + hopBytes, tls },
    backoff: { firstMs: firstBackoffMs, mostMs: mostBackoffMs },
    limits: { keepaliveMs, keepaliveTimeoutMs, keepaliveIdle: false },
  };
}

/** @param maxMessageBytes largest request; an answer may have `hopBytes` more */
export function clientChannelOptions(maxMessageBytes: number): ChannelOptions {
  return {
    ...common,
    'grpc.max_receive_message_length': maxMessageBytes + hopBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    // Addresses are given, not discovered: no TXT look-ups, no proxy from the environment.
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_http_proxy': 0,
    // One layer retries, and it is not this one: see resilience/retry-rule.
    'grpc.enable_retries': 0,
    'grpc.initial_reconnect_backoff_ms': patience.firstBackoffMs,
    'grpc.max_reconnect_backoff_ms': patience.mostBackoffMs,
    'grpc.keepalive_time_ms': patience.keepaliveMs,
    'grpc.keepalive_timeout_ms': patience.keepaliveTimeoutMs,
    'grpc-node.flow_control_window': 1024 * 1024,
    // Two clients of one address are two connections, so that closing one does not touch the other.
    'grpc.use_local_subchannel_pool': 1,
  };
}
