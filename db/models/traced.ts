/** An engine for which each build of a model is a span, by the model's name; the commit is a span within it. */
import { childSpan } from '../../observability/spans.ts'
import { sqlSpan } from '../spans.ts'
import type { ModelEngine } from './build.ts'

export const tracedModels = (engine: ModelEngine): ModelEngine => ({
  name: engine.name,
  build: (model, options) => childSpan(...sqlSpan(engine.name, model.name), () => engine.build(model, options)),
})
