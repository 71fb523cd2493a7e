// A notation like TypeScript's for JSON Schemas, in which the reference pages show what is sent.

/** `named`: shapes that have a name on the page. `options`: of zod's `toJSONSchema`. */
export function createNotation(z, named, options = {}) {
  function schemaOf(shape) {
    const schema = z.toJSONSchema(shape, options);
    delete schema.$schema;
    return schema;
  }
  const bare = (schema) => JSON.stringify({ ...schema, description: undefined });
  const names = new Map(Object.entries(named).map(([name, [shape]]) => [bare(schemaOf(shape)), name]));

  /** A JSON Schema in the page's notation. `own`: the name that is being explained, which may not stand for itself. */
  function notation(schema, indent = '', own = undefined) {
    const name = names.get(bare(schema));
    if (name !== undefined && name !== own) return name;
    const either = schema.anyOf ?? schema.oneOf;
    if (either) return either.map((each) => notation(each, indent)).join(' | ');
    if (schema.const !== undefined) return `'${schema.const}'`.replaceAll(/^'(\d+)'$/g, '$1');
    if (schema.enum) return schema.enum.map((each) => `'${each}'`).join(' | ');
    switch (schema.type) {
      case 'object':
        return objectNotation(schema, indent);
      case 'array': {
        const item = notation(schema.items, indent);
        return item.includes(' | ') ? `(${item})[]` : `${item}[]`;
      }
      case 'integer':
        return boundsOf(schema) ?? 'integer';
      case undefined:
        return 'any';
      default:
        return [schema.type].flat().join(' | ');
    }
  }

  /** `10…3600`, where the schema says more than that it is a safe integer. */
  function boundsOf({ minimum, maximum }) {
    if (minimum === undefined || maximum === undefined || maximum === Number.MAX_SAFE_INTEGER) return undefined;
    return `integer ${minimum}…${maximum}`;
  }

  function objectNotation({ properties = {}, required = [], additionalProperties }, indent) {
    const members = Object.entries(properties);
    if (members.length === 0) return additionalProperties ? '{ [name: string]: any }' : '{}';
    const inner = `${indent}  `;
    const lines = members.map(([name, schema]) => {
      const words = schema.description && !names.has(bare(schema)) ? ` // ${schema.description}` : commentOf(schema);
      return { text: `${name}${required.includes(name) ? '' : '?'}: ${notation(schema, inner)}`, words };
    });
    const oneLine = `{ ${lines.map(({ text }) => text).join('; ')} }`;
    if (lines.every(({ words }) => words === '') && oneLine.length + indent.length < 90 && !oneLine.includes('\n')) {
      return oneLine;
    }
    return `{\n${lines.map(({ text, words }) => `${inner}${text};${words}`).join('\n')}\n${indent}}`;
  }

  const commentOf = ({ description }) => (description ? ` // ${description}` : '');
  return { schemaOf, notation };
}
