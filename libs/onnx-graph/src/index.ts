export {
  GraphBuilder,
  Scope,
  Subgraph,
  elementTypes,
  type Attribute,
  type Attributes,
  type Carried,
  type Dimension,
  type ElementType,
  type ExternalTensor,
  type Stacked,
  type Value,
} from './graph-builder.js';
