/** Buffers and upgraded connections. */
import { type Case, proxy } from "./cases.ts";

export const STREAMING_CASES: readonly Case[] = [
  {
    title: "buffers that are accepted",
    text: proxy(
      "flush_interval -1",
      "response_buffers 4KiB",
      "stream_buffer_size 64KiB",
      "verbose_logs",
    ),
    route: { upstreams: ["http://a:8080"] },
  },
  {
    title: "flush_interval as a duration",
    text: proxy("flush_interval 100ms"),
    route: { upstreams: ["http://a:8080"] },
  },
  {
    title: "response_buffers without a limit",
    text: proxy("response_buffers unlimited"),
    route: { upstreams: ["http://a:8080"] },
  },
  {
    title: "request_buffers keep bodies to be sent again",
    text: proxy("request_buffers 10MB"),
    route: { upstreams: ["http://a:8080"], retry: { replay_body: "10MB" } },
  },
  {
    title: "request_buffers without a limit",
    text: proxy("request_buffers unlimited"),
    route: { upstreams: ["http://a:8080"], retry: { replay_body: "1GiB" } },
  },
  {
    title: "buffers of older versions",
    text: proxy("buffer_requests", "buffer_responses", "max_buffer_size 2MB"),
    route: { upstreams: ["http://a:8080"], retry: { replay_body: "2MB" } },
  },
  {
    title: "buffer_requests alone",
    text: proxy("buffer_requests"),
    route: { upstreams: ["http://a:8080"], retry: { replay_body: "1GiB" } },
  },
  {
    title: "upgraded connections",
    text: proxy("stream_timeout 24h", "stream_close_delay 5m"),
    route: { upstreams: ["http://a:8080"], stream_timeout: "24h", stream_close_delay: "5m" },
  },
  {
    title: "a bad flush_interval",
    text: proxy("flush_interval often"),
    problems: [
      '2:18 reverse_proxy.flush_interval: Expected a duration such as "10s" but received "often"',
    ],
  },
  {
    title: "a bad size",
    text: proxy("request_buffers big"),
    problems: [
      '2:19 reverse_proxy.request_buffers: Expected a size such as "10MB" but received "big"',
    ],
  },
  {
    title: "a bad size of responses",
    text: proxy("response_buffers big"),
    problems: [
      '2:20 reverse_proxy.response_buffers: Expected a size such as "10MB" but received "big"',
    ],
  },
  {
    title: "a bad size of streams",
    text: proxy("stream_buffer_size x"),
    problems: [
      '2:22 reverse_proxy.stream_buffer_size: Expected a size such as "10MB" but received "x"',
    ],
  },
  {
    title: "a bad timeout",
    text: proxy("stream_timeout 1"),
    problems: [
      '2:18 reverse_proxy.stream_timeout: Expected a duration such as "10s" but received "1"',
    ],
  },
  {
    title: "a bad delay",
    text: proxy("stream_close_delay x"),
    problems: [
      '2:22 reverse_proxy.stream_close_delay: Expected a duration such as "10s" but received "x"',
    ],
  },
  {
    title: "verbose_logs with a value",
    text: proxy("verbose_logs on"),
    problems: ['2:16 reverse_proxy.verbose_logs: Expected no argument but received "on"'],
  },
];
