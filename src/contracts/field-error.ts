/** One thing wrong with an input: the path of the field, the rule's code, and a sentence that says what was expected. */
export interface FieldError {
  field: string;
  reason: string;
  message: string;
}
