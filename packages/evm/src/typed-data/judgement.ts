export type TypedDataErrorCode =
  | 'typed_data_malformed'
  | 'typed_data_too_large'
  | 'typed_data_invalid_name'
  | 'typed_data_duplicate_member'
  | 'typed_data_empty_type'
  | 'typed_data_unknown_type'
  | 'typed_data_unused_type'
  | 'typed_data_recursive_type'
  | 'typed_data_primary_type'
  | 'typed_data_domain_type'
  | 'typed_data_wrong_chain'
  | 'typed_data_missing_field'
  | 'typed_data_extra_field'
  | 'typed_data_invalid_value'
  | 'typed_data_out_of_range';

/** Why typed data is refused, and where: `message.to.wallet`, `types.Mail[2]`. */
export interface TypedDataError {
  readonly code: TypedDataErrorCode;
  readonly path: string;
}

/** Keeps the first fault. What is read after it is used by nobody. */
export interface Judgement {
  fault: TypedDataError | null;
}

export function refuse(judgement: Judgement, code: TypedDataErrorCode, path: string): undefined {
  judgement.fault ??= { code, path };
}
