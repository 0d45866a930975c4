// Original file: protos/sluice/feedback/v1/predictions.proto

import type { Long } from '@grpc/proto-loader';

/**
 * One label against one row of one answer.
 */
export interface PredictionOutcome {
  'labelId'?: (string);
  'arm'?: (string);
  'attempt'?: (number);
  'row'?: (number | string | Long);
  'version'?: (number | string | Long);
  /**
   * `scored`, `not-captured`, `erased` or `not-decodable`.
   */
  'state'?: (string);
  'truthName'?: (string);
  'truthNumber'?: (number | string);
  'predictedName'?: (string);
  'predictedNumber'?: (number | string);
  /**
   * What the answer gave the true class.
   */
  'truthProbability'?: (number | string);
  'source'?: (string);
  /**
   * The label is the one that counts of its row.
   */
  'resolves'?: (boolean);
  '_truthName'?: "truthName";
  '_truthNumber'?: "truthNumber";
  '_predictedName'?: "predictedName";
  '_predictedNumber'?: "predictedNumber";
  '_truthProbability'?: "truthProbability";
}

/**
 * One label against one row of one answer.
 */
export interface PredictionOutcome__Output {
  'labelId': (string);
  'arm': (string);
  'attempt': (number);
  'row': (string);
  'version': (string);
  /**
   * `scored`, `not-captured`, `erased` or `not-decodable`.
   */
  'state': (string);
  'truthName'?: (string);
  'truthNumber'?: (number);
  'predictedName'?: (string);
  'predictedNumber'?: (number);
  /**
   * What the answer gave the true class.
   */
  'truthProbability'?: (number);
  'source': (string);
  /**
   * The label is the one that counts of its row.
   */
  'resolves': (boolean);
  '_truthName'?: "truthName";
  '_truthNumber'?: "truthNumber";
  '_predictedName'?: "predictedName";
  '_predictedNumber'?: "predictedNumber";
  '_truthProbability'?: "truthProbability";
}
