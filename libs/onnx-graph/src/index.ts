export {
  GraphBuilder,
  Scope,
  Subgraph,
  elementTypes,
  type Attribute,
  type Attributes,
  type Dimension,
  type ElementType,
  type ExternalTensor,
  type Value,
} from './graph-builder.js';
