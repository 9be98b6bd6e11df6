;; C[i, j] = sum_k A[i, k] B[j, k] in single precision, four numbers at a time.
;;
;; A [rows, length], B [columns, length] and C [rows, columns] lie row after row from their byte addresses on. `length` and
;; `columns` are positive multiples of 4. Lane l of an accumulator sums the products of k = l, l + 4, l + 8 ... in this order,
;; each product and each sum rounded to single precision; the sum is then (lane 0 + lane 2) + (lane 1 + lane 3). So an entry
;; of C depends on its two rows alone, to the last bit, not on where they lie nor on what lies around them.
;;
;; Four rows of B meet two rows of A at a time, so that a number that is loaded is used twice or four times. The relaxed
;; instructions (a fused multiply-add) would be faster but are allowed to round differently on different machines.
(module
  (memory (export "memory") 1)

  ;; The sums of the lanes of four accumulators.
  (func $fold (param $s v128) (param $t v128) (param $u v128) (param $v v128) (result v128)
    (local $st v128) ;; s0+s2 t0+t2 s1+s3 t1+t3
    (local $uv v128) ;; u0+u2 v0+v2 u1+u3 v1+v3
    (local.set $st (f32x4.add
      (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $s) (local.get $t))
      (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $s) (local.get $t))))
    (local.set $uv (f32x4.add
      (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $u) (local.get $v))
      (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $u) (local.get $v))))
    (f32x4.add
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $st) (local.get $uv))
      (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $st) (local.get $uv))))

  ;; One row of A (at $a) with four rows of B (at $b): four entries of C (at $c). $bytes is the length of a row.
  (func $one_by_four (param $a i32) (param $b i32) (param $c i32) (param $bytes i32)
    (local $b1 i32) (local $b2 i32) (local $b3 i32) (local $end i32)
    (local $x v128) (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    (local.set $b1 (i32.add (local.get $b) (local.get $bytes)))
    (local.set $b2 (i32.add (local.get $b1) (local.get $bytes)))
    (local.set $b3 (i32.add (local.get $b2) (local.get $bytes)))
    (local.set $end (i32.add (local.get $a) (local.get $bytes)))
    (loop $next
      (local.set $x (v128.load (local.get $a)))
      (local.set $s0 (f32x4.add (local.get $s0) (f32x4.mul (local.get $x) (v128.load (local.get $b)))))
      (local.set $s1 (f32x4.add (local.get $s1) (f32x4.mul (local.get $x) (v128.load (local.get $b1)))))
      (local.set $s2 (f32x4.add (local.get $s2) (f32x4.mul (local.get $x) (v128.load (local.get $b2)))))
      (local.set $s3 (f32x4.add (local.get $s3) (f32x4.mul (local.get $x) (v128.load (local.get $b3)))))
      (local.set $b (i32.add (local.get $b) (i32.const 16)))
      (local.set $b1 (i32.add (local.get $b1) (i32.const 16)))
      (local.set $b2 (i32.add (local.get $b2) (i32.const 16)))
      (local.set $b3 (i32.add (local.get $b3) (i32.const 16)))
      (local.set $a (i32.add (local.get $a) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $a) (local.get $end))))
    (v128.store (local.get $c)
      (call $fold (local.get $s0) (local.get $s1) (local.get $s2) (local.get $s3))))

  ;; Two rows of A (from $a) with four rows of B: four entries of C at $c and four at $d.
  (func $two_by_four (param $a i32) (param $b i32) (param $c i32) (param $d i32) (param $bytes i32)
    (local $a1 i32) (local $b1 i32) (local $b2 i32) (local $b3 i32) (local $end i32)
    (local $x v128) (local $y v128) (local $w v128)
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128)
    (local $t0 v128) (local $t1 v128) (local $t2 v128) (local $t3 v128)
    (local.set $end (i32.add (local.get $a) (local.get $bytes)))
    (local.set $a1 (local.get $end))
    (local.set $b1 (i32.add (local.get $b) (local.get $bytes)))
    (local.set $b2 (i32.add (local.get $b1) (local.get $bytes)))
    (local.set $b3 (i32.add (local.get $b2) (local.get $bytes)))
    (loop $next
      (local.set $x (v128.load (local.get $a)))
      (local.set $y (v128.load (local.get $a1)))
      (local.set $w (v128.load (local.get $b)))
      (local.set $s0 (f32x4.add (local.get $s0) (f32x4.mul (local.get $x) (local.get $w))))
      (local.set $t0 (f32x4.add (local.get $t0) (f32x4.mul (local.get $y) (local.get $w))))
      (local.set $w (v128.load (local.get $b1)))
      (local.set $s1 (f32x4.add (local.get $s1) (f32x4.mul (local.get $x) (local.get $w))))
      (local.set $t1 (f32x4.add (local.get $t1) (f32x4.mul (local.get $y) (local.get $w))))
      (local.set $w (v128.load (local.get $b2)))
      (local.set $s2 (f32x4.add (local.get $s2) (f32x4.mul (local.get $x) (local.get $w))))
      (local.set $t2 (f32x4.add (local.get $t2) (f32x4.mul (local.get $y) (local.get $w))))
      (local.set $w (v128.load (local.get $b3)))
      (local.set $s3 (f32x4.add (local.get $s3) (f32x4.mul (local.get $x) (local.get $w))))
      (local.set $t3 (f32x4.add (local.get $t3) (f32x4.mul (local.get $y) (local.get $w))))
      (local.set $b (i32.add (local.get $b) (i32.const 16)))
      (local.set $b1 (i32.add (local.get $b1) (i32.const 16)))
      (local.set $b2 (i32.add (local.get $b2) (i32.const 16)))
      (local.set $b3 (i32.add (local.get $b3) (i32.const 16)))
      (local.set $a1 (i32.add (local.get $a1) (i32.const 16)))
      (local.set $a (i32.add (local.get $a) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $a) (local.get $end))))
    (v128.store (local.get $c)
      (call $fold (local.get $s0) (local.get $s1) (local.get $s2) (local.get $s3)))
    (v128.store (local.get $d)
      (call $fold (local.get $t0) (local.get $t1) (local.get $t2) (local.get $t3))))

  (func (export "dot_products")
    (param $a i32) (param $b i32) (param $c i32) (param $rows i32) (param $columns i32) (param $length i32)
    (local $bytes i32) (local $c_bytes i32) (local $at_a i32) (local $at_c i32) (local $left i32)
    (local.set $bytes (i32.shl (local.get $length) (i32.const 2)))
    (local.set $c_bytes (i32.shl (local.get $columns) (i32.const 2)))
    (loop $next_four
      (local.set $at_a (local.get $a))
      (local.set $at_c (local.get $c))
      (local.set $left (local.get $rows))
      (block $no_pair
        (loop $next_pair
          (br_if $no_pair (i32.lt_u (local.get $left) (i32.const 2)))
          (call $two_by_four (local.get $at_a) (local.get $b) (local.get $at_c)
            (i32.add (local.get $at_c) (local.get $c_bytes)) (local.get $bytes))
          (local.set $at_a (i32.add (local.get $at_a) (i32.shl (local.get $bytes) (i32.const 1))))
          (local.set $at_c (i32.add (local.get $at_c) (i32.shl (local.get $c_bytes) (i32.const 1))))
          (local.set $left (i32.sub (local.get $left) (i32.const 2)))
          (br $next_pair)))
      (if (local.get $left)
        (then (call $one_by_four (local.get $at_a) (local.get $b) (local.get $at_c) (local.get $bytes))))
      (local.set $b (i32.add (local.get $b) (i32.shl (local.get $bytes) (i32.const 2))))
      (local.set $c (i32.add (local.get $c) (i32.const 16)))
      (local.set $columns (i32.sub (local.get $columns) (i32.const 4)))
      (br_if $next_four (local.get $columns)))))
