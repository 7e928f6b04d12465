import { expect, it } from 'vitest'
import { collectorUrl, levelOf, ratioOf, roleOf } from './preload-settings.ts'

it.each([
  [['up'], 'edge'],
  [['up', '--cluster', '--streams', '2'], null],
  [['streams', '--data', 'x'], 'streams'],
  [['worker', '--help'], null],
  [['token'], null],
  [['constructor'], null],
  [[], null],
])('%j is traced as %s', (args, role) => expect(roleOf(args)).toBe(role))

it.each([
  [{}, null],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, null],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel:4318/' }, 'http://otel:4318/v1/traces'],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://u:secret@otel/x?key=secret' }, 'https://otel/x'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel:4318', OTEL_SDK_DISABLED: 'true' }, null],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel:4318', OTEL_TRACES_EXPORTER: 'none' }, null],
])('traces of %j go to %s', (env, url) => expect(collectorUrl(env)).toBe(url))

it('everything is recorded unless a share is given, and what is no share is told', () => {
  expect(ratioOf({})).toEqual({ ratio: 1, problem: null })
  expect(ratioOf({ OTEL_TRACES_SAMPLER_ARG: '0.01' })).toEqual({ ratio: 0.01, problem: null })
  for (const wrong of ['1%', '2', '-1', 'NaN'])
    expect(ratioOf({ OTEL_TRACES_SAMPLER_ARG: wrong })).toEqual({
      ratio: 1,
      problem: expect.stringContaining(`"${wrong}"`),
    })
})

it('its lines keep to the level, and a level that is none is not its concern', () => {
  expect([
    levelOf({}),
    levelOf({ STREAMFORGE_LOG_LEVEL: 'silent' }),
    levelOf({ STREAMFORGE_LOG_LEVEL: 'loud' }),
  ]).toEqual(['warn', 'silent', 'warn'])
})
